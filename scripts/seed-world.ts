import { createHash } from 'node:crypto';

// The demo world: the same people, follows, posts and videos every time, so that screenshots and tests agree.

export interface Person {
  readonly id: string;
  readonly username: string;
  readonly displayName: string;
  readonly bio: string;
}

export interface Clip {
  readonly id: string;
  readonly owner: number;
  readonly title: string;
  readonly description: string;
  /** ffmpeg lavfi graph of the picture, and of the sound. */
  readonly picture: string;
  readonly sound: string;
}

export interface Post {
  readonly id: string;
  readonly author: number;
  readonly text: string;
  readonly clip?: number;
  readonly createdAt: Date;
}

const epochMs = Date.UTC(2026, 10, 1, 9, 0, 0);

/** A UUIDv7 whose random part is a hash of its name: the same id for the same thing, every time. */
export function namedId(name: string, atMs: number = epochMs): string {
  const digest = createHash('sha256').update(`social-flow:${name}`).digest();
  digest.writeUIntBE(atMs, 0, 6);
  digest[6] = 0x70 | ((digest[6] ?? 0) & 0x0f);
  digest[8] = 0x80 | ((digest[8] ?? 0) & 0x3f);
  const hex = digest.subarray(0, 16).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

const person = (username: string, displayName: string, bio: string): Person => ({
  id: namedId(`person:${username}`),
  username,
  displayName,
  bio,
});

export const people: readonly Person[] = [
  person('amara_films', 'Amara Okafor', 'Documentaries about rivers and the people beside them.'),
  person('kenji', 'Kenji Watanabe 渡辺', 'Street photography, slow trains, strong coffee.'),
  person('lucia_cooks', 'Lucía Fernández', 'Recetas de mi abuela, one pan at a time.'),
  person('tomasz_dev', 'Tomasz Nowak', 'I build synthesizers out of things that were not synthesizers.'),
  person('nour', 'نور الهاشمي', 'Calligraphy and type.'),
  person('ingrid', 'Ingrid Solberg', 'Cross-country, usually lost.'),
  person('marcus_t', 'Marcus Turner', 'High-school physics with too many slow-motion shots.'),
  person('priya', 'Priya Raman', 'Data, maps, monsoons.'),
  person('oleksa', 'Олекса Бондар', 'Woodturning in a very small workshop.'),
  person('sam_reads', 'Sam Whitaker', 'One book a week. Mostly.'),
  person('yara', 'Yara Haddad', 'Marine biologist. The octopus started it.'),
  person('ben_live', 'Ben Adeyemi', 'Speedruns on Fridays 🎮'),
];

export const clips: readonly Clip[] = [
  {
    id: namedId('clip:mandelbrot', epochMs + 60_000),
    owner: 6,
    title: 'Falling into the Mandelbrot set',
    description: 'Eight seconds at the edge of chaos, with a rising tone.',
    picture: 'mandelbrot=size=640x360:rate=24:end_scale=0.05,scale=1280:720',
    sound: "aevalsrc='0.2*sin(2*PI*(220+55*t)*t)':s=48000",
  },
  {
    id: namedId('clip:life', epochMs + 120_000),
    owner: 3,
    title: 'Life, the cellular one',
    description: "Conway's Game of Life, grown large enough to watch.",
    picture:
      'life=size=160x90:rate=24:ratio=0.35:seed=7:mold=12:life_color=#7fe3c4:death_color=#20304a,scale=1280:720:flags=neighbor',
    sound: "aevalsrc='0.15*sin(2*PI*330*t)*(1+sin(2*PI*2*t))':s=48000",
  },
  {
    id: namedId('clip:gradients', epochMs + 180_000),
    owner: 0,
    title: 'Colours of the delta at dusk',
    description: 'A study for the opening titles.',
    picture: 'gradients=size=1280x720:rate=25:seed=42:speed=0.02:nb_colors=5',
    sound: "aevalsrc='0.1*sin(2*PI*110*t)+0.1*sin(2*PI*165*t)':s=48000",
  },
];

export const clipSeconds = 8;

const lines: readonly [author: number, text: string, clip?: number][] = [
  [6, 'New lesson: what zooming into a fractal has to do with your coastline homework. #maths', 0],
  [3, 'I let #life run on the big screen and now nobody in the workshop is working.', 1],
  [0, 'Colour study for the film. The real river is better. #documentary', 2],
  [1, 'Missed the 06:12, photographed the 06:40 instead.'],
  [2, 'Tortilla is not a debate: con cebolla. #cocina'],
  [10, 'The octopus opened the jar. From the inside. Again.'],
  [4, 'خطّ اليوم: حرف النون، خمسون مرة.'],
  [5, '34 km, two wrong valleys, one excellent waffle.'],
  [
    7,
    'Made a map of every monsoon since 1901. It hums when you play it as sound, @tomasz_dev you should hear it.',
  ],
  [8, 'Маленька миска з горіха, 12 см. Полірування — три години.'],
  [9, 'Finished book 46 of the year. The ending deserved better coffee.'],
  [11, 'Friday: any% attempts until the save file cries. 🎮🎮'],
  [3, 'This oscillator was a bicycle lamp this morning.'],
  [6, 'Slow motion of a drop at 2,000 fps next week, if @marcus_t (me) finds the key to the lab.'],
  [0, 'Anyone near the confluence on Saturday? We need a boat and someone patient. https://example.org/call'],
  [2, 'Tip: salt the water first. Yes, before. #cocina'],
  [1, 'Platform 3, rain, one umbrella for two strangers. #street'],
  [10, 'Fieldwork update: tide tables lie, octopuses do not.'],
];

export const posts: readonly Post[] = lines.map(([author, text, clip], index) => {
  const createdAt = new Date(epochMs + 3_600_000 + index * 2_820_000);
  return {
    id: namedId(`post:${index}`, createdAt.getTime()),
    author,
    text,
    createdAt,
    ...(clip === undefined ? {} : { clip }),
  };
});

/** Who follows whom: everyone follows the next few, and all follow the two most prolific. */
export const follows: readonly (readonly [number, number])[] = people.flatMap((_, follower) =>
  [...new Set([1, 2, 5, 7].map((step) => (follower + step) % people.length).concat(0, 6))]
    .filter((followee) => followee !== follower)
    .map((followee) => [follower, followee] as const),
);
