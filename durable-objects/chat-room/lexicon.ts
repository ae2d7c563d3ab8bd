/**
 * Words of an English chat, from -4 (hateful) to 4 (delighted), in the manner of VADER (Hutto, Gilbert 2014). Words that mean
 * something else in other large languages, like `die`, are left out.
 */
const graded: Readonly<Record<number, string>> = {
  4: 'amazing awesome goat incredible legendary masterpiece perfect phenomenal',
  3: 'adore beautiful best brilliant excellent excited fantastic goated insane legend love loved lovely loving outstanding poggers stunning superb thrilled wonderful wow',
  2: 'banger based clutch congrats congratulations cute dope enjoy enjoyed epic fire fun glad good gorgeous great happy hilarious hype hyped impressive improved joy king lit nice pog pogchamp proud queen sick sweet talented thank thanks win winner wins won yay',
  1: 'better bless blessed calm chill clean clear cool easy fair fine funny gg haha hahaha helpful helps hope interesting kind lmao lol loud neat okay relaxing safe smart smooth solid support true useful welcome yes',
  [-1]: 'bored confused confusing cope delay delayed expensive hard late laggy lag lags lost mid missed missing no quiet rip sad slow sorry strange unclear unfair weak weird wrong',
  [-2]: 'annoying annoyed awkward bad boring broke broken buggy cheat cheater cheating clickbait crash crashed cringe cry crying disappointed disappointing dumb fail failed fails fake fraud ignorant lame loser mad mess overrated pathetic poor ruined rude sellout shame shitty spam stupid suck sucks tired toxic trash ugly unwatchable upset useless waste wasted worse',
  [-3]: 'angry awful disaster disgrace disgusting dislike dogshit furious garbage gross hate hated hates hating horrible horrid idiot idiots insulting liar lied moron nightmare painful rage rubbish scam scammer shit terrible worst wtf',
  [-4]: 'despicable evil racist vile',
};

export const wordWeights: ReadonlyMap<string, number> = new Map(
  Object.entries(graded).flatMap(([weight, words]) => words.split(' ').map((word) => [word, Number(weight)])),
);

const gradedEmoji: Readonly<Record<number, string>> = {
  3: '❤ 🥰 😍 🤩 💖 💯 🎉 🥳',
  2: '🔥 👏 😊 😄 😁 😂 🤣 🚀 🙌 😘 💜 💙 💚 🏆 👑 🫶 ⭐',
  1: '👍 🙂 😎 🙏 👌 😅 🫡 👋 ✨ 💪 😀 😆',
  [-1]: '😕 🙁 😬 😐 🥱 😒 🤨 😴 😢',
  [-2]: '👎 😞 😭 😠 😤 🤡 💔 🙄 😩 🤦',
  [-3]: '😡 🤬 🤮 💩 🤢 🖕',
};

/** By the character without what chooses its look or its colour. */
export const emojiWeights: ReadonlyMap<string, number> = new Map(
  Object.entries(gradedEmoji).flatMap(([weight, emoji]) =>
    emoji.split(' ').map((character) => [character, Number(weight)]),
  ),
);

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '));

/** They turn the word after them round, up to three words on. */
export const negations = words(
  "not no never none nobody nothing cannot cant can't dont don't doesnt doesn't didnt didn't isnt isn't wasnt wasn't arent aren't aint ain't wont won't wouldnt wouldn't couldnt couldn't without hardly barely",
);
/** They make the next word stronger, or weaker. */
export const boosters: ReadonlyMap<string, number> = new Map([
  ...[
    'so',
    'very',
    'really',
    'super',
    'absolutely',
    'totally',
    'extremely',
    'such',
    'too',
    'most',
    'soo',
    'fucking',
    'insanely',
  ].map((word) => [word, 1.3] as const),
  ...['slightly', 'somewhat', 'kinda', 'bit', 'little', 'sorta', 'almost', 'fairly'].map(
    (word) => [word, 0.6] as const,
  ),
]);

/** Small words by which other languages are known; none is English. */
export const foreign = words(
  'der das und nicht ist ich ein eine mit auf auch sehr wie aber el los las que muy es una pero por para como esta le les est pas une avec pour dans tres très não nao muito uma você isso com il che è di questo sono molto het een niet ik je wat jest nie się bir çok ve bu',
);
/** And those of English. */
export const english = words(
  'the a an is are was were this that it its i you he she they we my your and but of to in on for with so what how just be have has do does at if',
);
