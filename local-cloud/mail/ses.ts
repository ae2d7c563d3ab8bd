import type { StoredMail } from './store.ts';

/** A request SES would refuse with 400, and how it would name that. */
export class SesRefusal extends Error {
  readonly code: 'BadRequestException' | 'MessageRejected';

  constructor(code: SesRefusal['code'], message: string) {
    super(message);
    this.name = 'SesRefusal';
    this.code = code;
  }
}

const MAX_RECIPIENTS = 50;
const KNOWN_FIELDS = new Set([
  'FromEmailAddress',
  'Destination',
  'Content',
  'EmailTags',
  'ConfigurationSetName',
]);

type Json = Readonly<Record<string, unknown>>;

const object = (value: unknown, name: string): Json => {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new SesRefusal('BadRequestException', `${name} must be an object.`);
  return value as Json;
};

const data = (value: unknown, name: string): string => {
  const content = object(value, name);
  if (typeof content.Data !== 'string')
    throw new SesRefusal('BadRequestException', `${name}.Data must be a string.`);
  return content.Data;
};

// The address of `a@b` or `Name <a@b>`.
const addressOf = (value: unknown, name: string): string => {
  const text = typeof value === 'string' ? value : '';
  const address = /^[^<>\r\n]*<([^<>\s]+@[^<>\s]+)>$|^([^<>\s,;]+@[^<>\s,;]+)$/.exec(text);
  const found = address?.[1] ?? address?.[2];
  if (found === undefined || found.length > 320)
    throw new SesRefusal('BadRequestException', `${name} is not an e-mail address.`);
  return found;
};

/**
 * Reads the body of `SendEmail` with simple content, as SES v2 does.
 * @throws SesRefusal
 */
export function readSendEmail(body: unknown): Omit<StoredMail, 'id' | 'receivedAt'> {
  const request = object(body, 'The request');
  const unknown = Object.keys(request).filter((name) => !KNOWN_FIELDS.has(name));
  if (unknown.length > 0)
    throw new SesRefusal('BadRequestException', `The local stand-in does not know ${unknown.join(', ')}.`);
  const from = addressOf(request.FromEmailAddress, 'FromEmailAddress');
  const destination = object(request.Destination, 'Destination');
  const to = destination.ToAddresses;
  if (!Array.isArray(to) || to.length === 0 || to.length > MAX_RECIPIENTS)
    throw new SesRefusal(
      'BadRequestException',
      `Destination.ToAddresses needs 1 to ${MAX_RECIPIENTS} addresses.`,
    );
  const simple = object(object(request.Content, 'Content').Simple, 'Content.Simple');
  const subject = data(simple.Subject, 'Content.Simple.Subject');
  if (/[\r\n]/.test(subject)) throw new SesRefusal('BadRequestException', 'Subject must be one line.');
  const parts = object(simple.Body, 'Content.Simple.Body');
  if (parts.Text === undefined && parts.Html === undefined)
    throw new SesRefusal('MessageRejected', 'The message has no body.');
  return {
    from,
    to: to.map((address) => addressOf(address, 'Destination.ToAddresses')),
    subject,
    text: parts.Text === undefined ? '' : data(parts.Text, 'Content.Simple.Body.Text'),
    html: parts.Html === undefined ? '' : data(parts.Html, 'Content.Simple.Body.Html'),
  };
}
