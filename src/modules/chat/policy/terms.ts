import { foldText, readings } from './fold.ts';

/**
 * Finds which of many patterns a text has, in one pass over it however many there are (Aho and Corasick, "Efficient string
 * matching", 1975).
 */
export interface Matcher<T> {
  /** What the patterns that were found stand for. */
  find(text: string): Set<T>;
  has(text: string): boolean;
}

interface Node<T> {
  readonly next: Map<string, Node<T>>;
  /** Where to go on when no longer pattern fits. */
  fallback: Node<T> | undefined;
  readonly found: T[];
  /** The nearest node along the fallbacks at which a pattern ends. */
  ending: Node<T> | undefined;
}

const newNode = <T>(): Node<T> => ({ next: new Map(), fallback: undefined, found: [], ending: undefined });

export function createMatcher<T>(patterns: Iterable<readonly [pattern: string, value: T]>): Matcher<T> {
  const root = newNode<T>();
  for (const [pattern, value] of patterns) {
    let node = root;
    for (const character of pattern) {
      const next = node.next.get(character) ?? newNode<T>();
      node.next.set(character, next);
      node = next;
    }
    if (node !== root) node.found.push(value);
  }
  const step = (from: Node<T>, character: string): Node<T> => {
    let node: Node<T> | undefined = from;
    while (node !== undefined && !node.next.has(character)) node = node.fallback;
    return node?.next.get(character) ?? root;
  };
  const queue = [root];
  for (const node of queue)
    for (const [character, child] of node.next) {
      child.fallback = node.fallback === undefined ? root : step(node.fallback, character);
      child.ending = child.fallback.found.length > 0 ? child.fallback : child.fallback.ending;
      queue.push(child);
    }
  return {
    find(text) {
      const found = new Set<T>();
      let node = root;
      for (const character of text) {
        node = step(node, character);
        let ending: Node<T> | undefined = node.found.length > 0 ? node : node.ending;
        for (; ending !== undefined; ending = ending.ending)
          for (const value of ending.found) found.add(value);
      }
      return found;
    },
    has(text) {
      let node = root;
      for (const character of text) {
        node = step(node, character);
        if (node.found.length > 0 || node.ending !== undefined) return true;
      }
      return false;
    },
  };
}

/** A term as it is looked for: words between spaces; without the space on the side where a `*` stands. */
export function patternOf(term: string, isWithinWords = false): string | undefined {
  const words = foldText(term).match(/[\p{L}\p{N}]+/gu);
  if (words === null) return undefined;
  const before = isWithinWords || term.startsWith('*') ? '' : ' ';
  const behind = isWithinWords || term.endsWith('*') ? '' : ' ';
  return `${before}${words.join(' ')}${behind}`;
}

/** Whether a text has one of these terms, in any of the ways it can be read. */
export function createTermList(
  terms: readonly string[],
  options: { readonly isWithinWords?: boolean } = {},
): (text: string) => boolean {
  const patterns = terms.flatMap((term) => {
    const pattern = patternOf(term, options.isWithinWords);
    return pattern === undefined ? [] : [[pattern, true] as const];
  });
  if (patterns.length === 0) return () => false;
  const matcher = createMatcher(patterns);
  return (text) => readings(text).some(matcher.has);
}
