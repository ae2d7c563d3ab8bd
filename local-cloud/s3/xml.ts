import { escapeXml } from '../aws-gate/errors.ts';
import { malformedXml } from './errors.ts';

const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';
const MAX_DEPTH = 16;

export type XmlElement = { name: string; text: string; children: XmlElement[] };

/** An element holding text; nothing at all for an undefined value. */
export const textElement = (name: string, value: string | number | boolean | undefined): string =>
  value === undefined ? '' : `<${name}>${escapeXml(String(value))}</${name}>`;

/** An element holding already built elements. */
export const element = (name: string, ...children: readonly string[]): string =>
  `<${name}>${children.join('')}</${name}>`;

/** A whole S3 response document. */
export const xmlDocument = (name: string, ...children: readonly string[]): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<${name} xmlns="${NAMESPACE}">${children.join('')}</${name}>`;

const NAMED_ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

const decodeEntities = (text: string): string =>
  text.replace(/&([^;&]{0,10})(;?)/g, (_whole, entity: string, end: string) => {
    const numeric = /^#(?:x([0-9a-fA-F]+)|([0-9]+))$/.exec(entity);
    const named = NAMED_ENTITIES[entity];
    if (end === '' || (numeric === null && named === undefined)) throw malformedXml();
    if (numeric === null) return named ?? '';
    const codePoint = Number.parseInt(numeric[1] ?? numeric[2] ?? '', numeric[1] === undefined ? 10 : 16);
    if (codePoint > 0x10ffff || (codePoint >= 0xd800 && codePoint <= 0xdfff)) throw malformedXml();
    return String.fromCodePoint(codePoint);
  });

const indexAfter = (text: string, end: string, from: number): number => {
  const at = text.indexOf(end, from);
  if (at < 0) throw malformedXml();
  return at + end.length;
};

const localName = (tag: string): string => {
  const match = /^(?:[A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)(?:\s|$)/.exec(tag);
  if (match?.[1] === undefined) throw malformedXml();
  return match[1];
};

/**
 * Parses a small request document: elements, text, CDATA, comments. Attributes are skipped; a document type is refused,
 * so there are no entities to expand. Throws `MalformedXML`.
 */
export const parseXml = (source: string): XmlElement => {
  const top: XmlElement = { name: '', text: '', children: [] };
  const open: XmlElement[] = [top];
  let index = source.startsWith('\uFEFF') ? 1 : 0;
  while (index < source.length) {
    const current = open.at(-1) ?? top;
    if (source[index] !== '<') {
      const next = source.indexOf('<', index);
      const end = next < 0 ? source.length : next;
      const text = decodeEntities(source.slice(index, end));
      if (open.length === 1 && text.trim() !== '') throw malformedXml();
      current.text += text;
      index = end;
    } else if (source.startsWith('<!--', index)) {
      index = indexAfter(source, '-->', index + 4);
    } else if (source.startsWith('<![CDATA[', index) && open.length > 1) {
      const end = indexAfter(source, ']]>', index + 9);
      current.text += source.slice(index + 9, end - 3);
      index = end;
    } else if (source.startsWith('<?', index)) {
      index = indexAfter(source, '?>', index + 2);
    } else if (source.startsWith('<!', index)) {
      throw malformedXml();
    } else if (source.startsWith('</', index)) {
      const end = indexAfter(source, '>', index);
      if (open.length < 2 || localName(source.slice(index + 2, end - 1)) !== current.name)
        throw malformedXml();
      open.pop();
      index = end;
    } else {
      const end = indexAfter(source, '>', index);
      const selfClosing = source[end - 2] === '/';
      const child = {
        name: localName(source.slice(index + 1, end - (selfClosing ? 2 : 1))),
        text: '',
        children: [],
      };
      if (open.length > MAX_DEPTH || (open.length === 1 && top.children.length > 0)) throw malformedXml();
      current.children.push(child);
      if (!selfClosing) open.push(child);
      index = end;
    }
  }
  const [document] = top.children;
  if (open.length !== 1 || document === undefined) throw malformedXml();
  return document;
};

export const childrenNamed = (parent: XmlElement, name: string): XmlElement[] =>
  parent.children.filter((child) => child.name === name);

/** Text of the only child of that name, undefined when absent; throws `MalformedXML` when repeated. */
export const childText = (parent: XmlElement, name: string): string | undefined => {
  const [first, second] = childrenNamed(parent, name);
  if (second !== undefined) throw malformedXml();
  return first?.text;
};
