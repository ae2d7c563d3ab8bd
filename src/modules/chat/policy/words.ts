import type { ModeratedCategory } from './rules.ts';

/** 4: hardly ever said in good faith; 1: harmless among friends. */
export type Severity = 1 | 2 | 3 | 4;

/**
 * English words and phrases that auto-moderation knows, with `*` where they go on. A short list on purpose: it catches what is
 * plain, and channels add their own terms. Words that are mostly said in good faith (`die`, `gay`, `sex`) stand only in phrases.
 */
export const moderatedWords: Readonly<Record<ModeratedCategory, Partial<Record<Severity, string>>>> = {
  harassment: {
    4: 'kill yourself, kill urself, kys, go die, hang yourself, neck yourself, drink bleach, end your life, hope you die, i will find you, i know where you live, unalive yourself',
    3: 'nobody likes you, nobody loves you, everyone hates you, waste of oxygen, waste of space, worthless trash, you should not exist, doxx*, swat you, swatting you',
    2: 'loser, pathetic, ugly, fatass, retard*, idiot*, moron*, imbecile*, braindead, shut up, stfu, dumbass*, scumbag*, creep, simp, incel*',
    1: 'stupid, dumb, noob, trash, garbage player, clown, cringe, get good, git gud, ez clap, uninstall the game',
  },
  sexual: {
    4: 'child porn, cp links, rape you, raping, send nudes, underage nudes, jailbait, bestiality',
    3: 'porn*, hentai, blowjob*, handjob*, cumshot*, dildo*, gangbang*, deepthroat*, onlyfans leak*, masturbat*, creampie*, anal sex, oral sex',
    2: 'cock, cocks, dick, dicks, pussy, pussies, cum, boobs, tits, titties, horny, nude, nudes, naked, orgasm*, vagina*, penis*, erection*, threesome*',
    1: 'sexy, thicc, booty, milf, kinky, boner, hot body, strip for*, make out',
  },
  hate: {
    4: 'nigger*, nigga*, faggot*, kike, kikes, spic, spics, chink, chinks, tranny, trannies, wetback*, raghead*, towelhead*, gas the jews, heil hitler, sieg heil, white power, race war, subhuman*, untermensch*',
    3: 'fag, fags, dyke, dykes, gook, gooks, paki, pakis, coon, coons, shemale*, nazi scum, great replacement, ethnic cleansing, go back to africa, go back to your country, kill all',
    2: 'hitler was right, homo, homos, feminazi*, no women in gaming, women belong in the kitchen, so gay, thats gay, illegals, infidel*',
    1: 'boomer*, karen, npc, make me a sandwich',
  },
  violence: {
    4: 'i will kill you, im going to kill you, i will murder you, shoot up the*, school shooting, bomb threat, behead*, plant a bomb, stab you, shoot you, burn your house',
    3: 'beat you up, break your neck, slit your throat, curb stomp*, lynch*, massacre*, torture you, snuff film*, terror attack, murder you',
    2: 'kill him, kill her, kill them all, i will hurt you, punch you, smash your face, cut yourself, suicide, self harm, gore, bloodbath',
    1: 'beat him, fight me, blood everywhere, headshot, gun, guns, bomb, knife',
  },
  profanity: {
    4: 'motherfuck*, cunt, cunts, cocksuck*',
    3: 'fuck*, bitch*, asshole*, whore*, slut*, wanker*, twat*',
    2: 'shit*, bullshit*, bastard*, prick, pricks, dickhead*, jackass*, piss off, pissed off, arsehole*, bollocks, son of a*, wtf',
    1: 'damn, goddamn, hell, crap, ass, arse, sucks, bloody hell, freaking, omfg, lmfao',
  },
};
