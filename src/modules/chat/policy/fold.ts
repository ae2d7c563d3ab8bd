// Letters of other alphabets that look like Latin ones, as far as they are used to get round word lists
// (https://www.unicode.org/reports/tr39/#Confusable_Detection). Accents are gone by then.
const lookalikes = new Map(
  Object.entries({
    а: 'a',
    α: 'a',
    ɑ: 'a',
    в: 'b',
    β: 'b',
    ь: 'b',
    с: 'c',
    ϲ: 'c',
    ԁ: 'd',
    ɗ: 'd',
    е: 'e',
    є: 'e',
    ε: 'e',
    ɡ: 'g',
    н: 'h',
    һ: 'h',
    і: 'i',
    ι: 'i',
    ı: 'i',
    ј: 'j',
    к: 'k',
    κ: 'k',
    ӏ: 'l',
    м: 'm',
    п: 'n',
    η: 'n',
    о: 'o',
    ο: 'o',
    σ: 'o',
    ө: 'o',
    ø: 'o',
    р: 'p',
    ρ: 'p',
    ԛ: 'q',
    г: 'r',
    ѕ: 's',
    т: 't',
    τ: 't',
    υ: 'u',
    ц: 'u',
    ν: 'v',
    ѵ: 'v',
    ԝ: 'w',
    ω: 'w',
    х: 'x',
    χ: 'x',
    у: 'y',
    γ: 'y',
    ѡ: 'w',
    đ: 'd',
    ħ: 'h',
    ł: 'l',
    ŧ: 't',
    æ: 'ae',
    œ: 'oe',
    ß: 'ss',
    þ: 'p',
    ð: 'd',
  }),
);

/** Digits and signs that stand for letters within words. */
const standIns = new Map(
  Object.entries({
    '0': 'o',
    '1': 'i',
    '3': 'e',
    '4': 'a',
    '5': 's',
    '7': 't',
    '8': 'b',
    '@': 'a',
    $: 's',
    '!': 'i',
  }),
);

/** One spelling for what looks the same: lower case, without accents, invisible characters and lookalikes. */
export function foldText(text: string): string {
  const plain = text
    .normalize('NFKD')
    .replaceAll(/[\p{M}\p{Default_Ignorable_Code_Point}]/gu, '')
    .toLowerCase();
  let folded = '';
  for (const character of plain) folded += lookalikes.get(character) ?? character;
  return folded;
}

const wordsOf = (folded: string): string[] => folded.match(/[\p{L}\p{N}]+/gu) ?? [];

/** `b4dw0rd`, `b@d`: in runs with letters, signs are read as the letters they stand for. */
function withoutStandIns(folded: string): string {
  return folded
    .split(/\s+/u)
    .map((run) => (/\p{L}/u.test(run) ? [...run].map((sign) => standIns.get(sign) ?? sign).join('') : run))
    .join(' ');
}

/** `b a d`, `b.a.d`: letters that stand alone, one after the other, are a word. */
function joined(words: readonly string[]): string[] {
  const result: string[] = [];
  let run = '';
  for (const word of words) {
    if ([...word].length === 1) run += word;
    else {
      if (run !== '') result.push(run);
      run = '';
      result.push(word);
    }
  }
  if (run !== '') result.push(run);
  return result;
}

const sentence = (words: readonly string[]): string => ` ${words.join(' ')} `;

/** `baaad`: letters three times and more in a row are read as one, and as two. */
const repeats = /(\p{L})\1{2,}/gu;

/**
 * The ways a text can be read, each as words with a space before, between and behind them. Every one is as long as the text at
 * most, or a little longer, and there is a fixed number of them.
 */
export function readings(text: string): string[] {
  const folded = foldText(text);
  const found = new Set<string>();
  for (const spelling of new Set([folded, withoutStandIns(folded)])) {
    const words = wordsOf(spelling);
    for (const sequence of [sentence(words), sentence(joined(words))])
      for (const reading of [
        sequence,
        sequence.replaceAll(repeats, '$1'),
        sequence.replaceAll(repeats, '$1$1'),
      ])
        found.add(reading);
  }
  return [...found];
}
