import type { Mood } from '../../../durable-objects/chat-room/sentiment.ts';

const lines: Readonly<Record<Mood, string>> = {
  positive: `this stream is so good
LETS GOOOO that was insane
best speedrun i have ever seen
haha he fell again 😂
love your music, greetings from Porto
gg well played
thank you for explaining it so clearly
i'm so happy you're back
W stream
W take
W
that clutch was unreal
nice shot!
the new overlay looks beautiful
not bad at all
never gets old, love it
congrats on 10k!
POGGERS
🔥🔥🔥
😍 that dress
i can't stop laughing
you made my day
chills every time
the bass line is smooth
wow the graphics
let him cook
absolutely goated
that was close, great save
i needed this today
qué bonito ❤️
danke für den Stream 🥰
we are so back
hype hype hype
proud of you
first time here, already enjoying it
no way, amazing
easiest win ever
you're hilarious
finally good audio
that's my king 👑`,
  negative: `this is so boring
the audio is terrible
worst take i have heard today
stop the ads please, so annoying
not fun at all
L
L take
trash team
he is cheating 100%
why is it lagging so much
the stream keeps crashing
i hate this map
what a waste of time
unwatchable, 240p again
boooo
refund
cringe
this guy is a fraud
so disappointed
can't hear anything, fix your mic
doesn't work on my phone
😡😡
👎
ratio
you lied to us
that was not funny
game looks good but runs like garbage
mods are power tripping
i'm done with this channel
never watching again
scam
skill issue lol
fell off hard
shut up
kein Ton 😠
ça marche pas 😭
awful colors
my eyes hurt
this update ruined everything
why would you do that, idiot`,
  neutral: `what time is it there
hello from Berlin
which keyboard is that
song name?
is this live
first
2 more minutes
who is on the left
he plays in the second league
brb
is there a vod later
what resolution is this
/join
the link is in the description
how many levels are there
turn left
anyone from canada
!uptime
what did he say
i think it was 2019
ich komme aus Wien
cuántos años tienes
où est le lien
next round starts at 8
the red one or the blue one
same
are you using the new engine
watching from work
it is raining here
who won yesterday
poll is up
chat what do we think
12345
he switched to the bow
did you eat already
part 2 tomorrow
is this the same mic as before
ok
whats the sens
just got here`,
};

/** Lines as they stand in chats, labelled by hand before the lexicon was tried on them. */
export const labelledChat: readonly (readonly [Mood, string])[] = (
  Object.entries(lines) as [Mood, string][]
).flatMap(([mood, text]) => text.split('\n').map((line) => [mood, line] as const));
