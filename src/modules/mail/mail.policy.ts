import type { Mail } from '../../integrations/email/index.ts';

/** What a mail says, in its parts. Everything is plain text; it is encoded for HTML here and nowhere else. */
export interface Letter {
  readonly to: string;
  readonly subject: string;
  /** The username: it has no character that means anything in text or HTML, unlike a display name. */
  readonly username: string | undefined;
  readonly paragraphs: readonly string[];
  /** Facts under the first paragraph, such as the device. */
  readonly facts?: readonly (readonly [label: string, value: string])[];
  /** Stands after the first paragraph. */
  readonly link?: string;
  /** What to do for who did not ask for this. */
  readonly advice: string;
}

const maxFactLength = 200;

/** Writes a letter as text and as HTML with no styles, pictures or scripts, so that nothing is loaded when it is read. */
export function composeMail(letter: Letter): Mail {
  const greeting = letter.username === undefined ? 'Hello,' : `Hello @${letter.username},`;
  const facts = (letter.facts ?? []).map(([label, value]) => `${oneLine(label)}: ${oneLine(value)}`);
  const [first = '', ...others] = letter.paragraphs;
  const closing = 'Social Flow';
  const text = [
    greeting,
    first,
    ...(facts.length === 0 ? [] : [facts.map((fact) => `  ${fact}`).join('\n')]),
    ...(letter.link === undefined ? [] : [letter.link]),
    ...others,
    letter.advice,
    closing,
  ].join('\n\n');
  const paragraph = (content: string): string => `<p>${escapeHtml(content)}</p>`;
  const html = [
    '<!doctype html><html lang="en"><head><meta charset="utf-8"></head><body>',
    paragraph(greeting),
    paragraph(first),
    ...(facts.length === 0
      ? []
      : [`<ul>${facts.map((fact) => `<li>${escapeHtml(fact)}</li>`).join('')}</ul>`]),
    ...(letter.link === undefined
      ? []
      : [`<p><a href="${escapeHtml(letter.link)}">${escapeHtml(letter.link)}</a></p>`]),
    ...others.map(paragraph),
    paragraph(letter.advice),
    paragraph(closing),
    '</body></html>',
  ].join('\n');
  return { to: letter.to, subject: oneLine(letter.subject), text: `${text}\n`, html };
}

/** Encodes text for HTML, in content and in quoted attributes. */
export const escapeHtml = (text: string): string =>
  text.replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`);

/** Without control characters and direction overrides, so that a value can neither add lines nor hide what it says. */
export const oneLine = (text: string): string =>
  [
    ...text
      .toWellFormed()
      .replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]+/gu, ' ')
      .trim(),
  ]
    .slice(0, maxFactLength)
    .join('');
