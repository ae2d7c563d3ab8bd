import { readings } from './fold.ts';
import {
  type AutoModeration,
  type ChannelRules,
  type ModeratedCategory,
  moderatedCategories,
} from './rules.ts';
import { createMatcher, createTermList, type Matcher, patternOf } from './terms.ts';
import { moderatedWords } from './words.ts';

/** Why a message is held. */
export interface Suspicion {
  /** A category of auto-moderation, or `links`. */
  readonly category: string;
  readonly severity: number;
}

/** Judges words by the rules of a channel; made anew when they change. */
export interface Judge {
  /** It has a word nobody may write. */
  isBlocked(text: string): boolean;
  /** Why somebody should look at it first; the worst there is in it. */
  suspicionOf(text: string, hasLinks: boolean): Suspicion | undefined;
}

interface Word extends Suspicion {
  readonly category: ModeratedCategory;
}

let known: Matcher<Word> | undefined;

/** All built-in words; made at the first message that is judged by them. */
function builtIn(): Matcher<Word> {
  known ??= createMatcher(
    moderatedCategories.flatMap((category) =>
      Object.entries(moderatedWords[category]).flatMap(([severity, words]) =>
        words.split(', ').flatMap((word) => {
          const pattern = patternOf(word);
          return pattern === undefined ? [] : [[pattern, { category, severity: Number(severity) }] as const];
        }),
      ),
    ),
  );
  return known;
}

const isOff = (levels: AutoModeration): boolean =>
  !levels.hold_links && moderatedCategories.every((category) => levels[category] === 0);

/** A level lets through what is less severe than it looks for: 1 holds the worst only, 4 everything. */
const isHeld = ({ category, severity }: Word, levels: AutoModeration): boolean =>
  severity > 4 - levels[category];

/** A reading without the terms that are permitted. Spaces are doubled, so that neighbours do not share one. */
function without(reading: string, patterns: readonly string[]): string {
  const spaced = (text: string): string => text.replaceAll(' ', '  ');
  let rest = spaced(reading);
  for (const pattern of patterns)
    rest = rest.replaceAll(spaced(pattern).replaceAll(/^ {2}| {2}$/g, ' '), ' ');
  return rest.replaceAll(/ +/g, ' ');
}

export function createJudge({ blocked, permitted, autoModeration, isStrict }: ChannelRules): Judge {
  const isBlocked = createTermList(blocked, { isWithinWords: isStrict });
  const allowed = isStrict ? [] : permitted.flatMap((term) => patternOf(term) ?? []);

  function worstOf(texts: readonly string[]): Word | undefined {
    const [worst] = texts
      .flatMap((text) => [...builtIn().find(text)])
      .filter((word) => isHeld(word, autoModeration))
      .toSorted((a, b) => b.severity - a.severity);
    return worst;
  }

  return {
    isBlocked,
    suspicionOf(text, hasLinks) {
      if (isOff(autoModeration)) return undefined;
      const texts = readings(text);
      let worst = worstOf(texts);
      if (worst !== undefined && allowed.length > 0)
        worst = worstOf(texts.map((reading) => without(reading, allowed)));
      if (worst !== undefined) return { category: worst.category, severity: worst.severity };
      return hasLinks && autoModeration.hold_links ? { category: 'links', severity: 1 } : undefined;
    },
  };
}
