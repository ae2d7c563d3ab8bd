import { foldText, isBlank } from '../../../shared/text.ts';

/*
 * Words are looked for in texts folded to ` word word `: one space around each word. A phrase folded the same way is in a
 * text if it is in its characters, which SQL can tell by itself. Enough to hold a comment for its owner to look at; people
 * who try hard get past any list.
 */

// Letters of other scripts, and of Latin itself, that stand in for Latin ones; the most used of Unicode's confusables
// (UTS #39), in lower case, and small capitals.
const lookalikes = new Map<string, string>(
  Object.entries({
    а: 'a', α: 'a', ɑ: 'a', в: 'b', β: 'b', ь: 'b', с: 'c', ϲ: 'c', ԁ: 'd', đ: 'd', е: 'e', ε: 'e', є: 'e', ɡ: 'g',
    һ: 'h', н: 'h', ħ: 'h', і: 'i', ι: 'i', ı: 'i', ӏ: 'i', ј: 'j', к: 'k', κ: 'k', ł: 'l', м: 'm', ո: 'n', о: 'o', ο: 'o',
    օ: 'o', ø: 'o', σ: 'o', р: 'p', ρ: 'p', ԛ: 'q', ѕ: 's', т: 't', τ: 't', ŧ: 't', υ: 'u', ս: 'u', ν: 'v', ѵ: 'v',
    ԝ: 'w', ω: 'w', х: 'x', χ: 'x', у: 'y', γ: 'y',
    ᴀ: 'a', ʙ: 'b', ᴄ: 'c', ᴅ: 'd', ᴇ: 'e', ꜰ: 'f', ɢ: 'g', ʜ: 'h', ɪ: 'i', ᴊ: 'j', ᴋ: 'k', ʟ: 'l', ᴍ: 'm', ɴ: 'n', ᴏ: 'o',
    ᴘ: 'p', ꞯ: 'q', ǫ: 'q', ʀ: 'r', ꜱ: 's', ᴛ: 't', ᴜ: 'u', ᴠ: 'v', ᴡ: 'w', ʏ: 'y', ᴢ: 'z',
  }), // biome-ignore format: one table
);

const signs = new Map<string, string>(
  Object.entries({ '0': 'o', '1': 'i', '3': 'e', '4': 'a', '5': 's', '7': 't', '@': 'a', $: 's' }),
);

// Letters in dark circles and squares, which no normalisation takes back.
for (const first of [0x1f150, 0x1f170])
  for (let letter = 0; letter < 26; letter += 1)
    lookalikes.set(String.fromCodePoint(first + letter), String.fromCharCode(97 + letter));

// Marks that go over, under and around letters of any script, and format characters, which show nothing.
const dressing =
  /[\u0300-\u036f]|[\u0483-\u0489]|[\u1ab0-\u1aff]|[\u1dc0-\u1dff]|[\u20d0-\u20ff]|[\ufe20-\ufe2f]|\p{Cf}/gu;

// Scripts that put no spaces between words: each letter stands alone, so that a word is found anywhere in a sentence.
const unspaced =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/gu;
const words = /[\p{L}\p{M}\p{N}][\p{L}\p{M}\p{N}@$]*/gu;

const replaceAll = (text: string, table: ReadonlyMap<string, string>): string =>
  Array.from(text, (character) => table.get(character) ?? character).join('');

function wordsOf(text: string): string[] {
  const bare = foldText(text).normalize('NFD').replace(dressing, '').normalize('NFC');
  const plain = replaceAll(bare, lookalikes).replace(unspaced, ' $& ');
  return (plain.match(words) ?? []).map((word) =>
    /\p{L}/u.test(word) ? replaceAll(word, signs) : word.replace(/[@$]+/g, ''),
  );
}

const spaced = (list: readonly string[]): string => (list.length === 0 ? '' : ` ${list.join(' ')} `);

/** A text as words are looked for in it. Words spelt out letter by letter (`b a d`) stand behind it once more, joined. */
export function foldForFilter(text: string): string {
  const list = wordsOf(text);
  const joined: string[] = [];
  let run = '';
  for (const word of [...list, '']) {
    if (Array.from(word).length === 1) run += word;
    else {
      if (Array.from(run).length >= 3) joined.push(run);
      run = '';
    }
  }
  return spaced(list) + joined.map((word) => `\n ${word} `).join('');
}

/** What is looked for to find a blocked word or phrase; `word*` also finds longer words. Undefined when nothing is left. */
export function filterKeyOf(phrase: string): string | undefined {
  const key = spaced(wordsOf(phrase));
  if (isBlank(key)) return undefined;
  return phrase.trimEnd().endsWith('*') ? key.trimEnd() : key;
}
