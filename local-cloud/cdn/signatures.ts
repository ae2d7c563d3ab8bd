import { createVerify } from 'node:crypto';
import { isIPv4 } from 'node:net';
import { AwsError } from '../aws-gate/errors.ts';
import type { TrustedKey } from './keys.ts';

// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-creating-signed-url-custom-policy.html

/** A request for an object that needs a signature. */
export type SignedRequest = {
  /** The address as requested, query and all. */
  url: string;
  cookie: string | undefined;
  /** Address of the client. */
  ip: string;
  nowSeconds: number;
};

type Given = {
  policy: string | undefined;
  expires: string | undefined;
  signature: string | undefined;
  keyPairId: string | undefined;
  hash: string | undefined;
};

const queryNames = ['Expires', 'Policy', 'Signature', 'Key-Pair-Id', 'Hash-Algorithm'];

const denied = (): AwsError => new AwsError(403, 'AccessDenied', 'Access denied');

/**
 * Lets a request through that has a signed URL or signed cookies CloudFront would take.
 * @throws AwsError 403 as CloudFront words it.
 */
export const checkSignature = (request: SignedRequest, keys: readonly TrustedKey[]): void => {
  const { given, resource } = readRequest(request);
  if (given.keyPairId === undefined)
    throw new AwsError(403, 'MissingKey', 'Missing Key-Pair-Id query parameter or cookie value');
  const key = keys.find(({ id }) => id === given.keyPairId);
  if (key === undefined) throw new AwsError(403, 'InvalidKey', 'Unknown Key');
  if (given.signature === undefined)
    throw new AwsError(403, 'MissingSignature', 'Missing Signature query parameter or cookie value');
  const signature = decode(given.signature);
  if (signature === undefined) throw new AwsError(403, 'MalformedSignature', 'Could not unencode Signature');
  const policy = policyIn(given, resource);
  const hash = given.hash === undefined ? 'SHA1' : given.hash;
  if (hash !== 'SHA1' && hash !== 'SHA256') throw denied();
  // Node takes ECDSA signatures in DER here, as CloudFront's OpenSSL does.
  if (!createVerify(hash).update(policy).verify(key.publicKey, signature)) throw denied();
  enforce(policy, { ...request, url: resource });
};

/** What of a query or, without one, of the cookies signs the request; and the address without it. */
const readRequest = ({ url, cookie }: SignedRequest): { given: Given; resource: string } => {
  const [address = '', query] = splitOnce(url, '?');
  const pairs = query === undefined ? [] : query.split('&').map((pair) => splitOnce(pair, '='));
  const own = pairs.filter(([name]) => !queryNames.includes(name ?? ''));
  const rest = own.map(([name, value]) => (value === undefined ? name : `${name}=${value}`)).join('&');
  const resource = rest === '' ? address : `${address}?${rest}`;
  const queryValue = (name: string) => decoded(pairs.find(([known]) => known === name)?.[1]);
  if (pairs.some(([name]) => queryNames.includes(name ?? '')))
    return { given: namedBy(queryValue), resource };
  const cookies = (cookie ?? '').split(';').map((pair) => splitOnce(pair.trim(), '='));
  const cookieValue = (name: string) => cookies.find(([known]) => known === `CloudFront-${name}`)?.[1];
  return { given: namedBy(cookieValue), resource };
};

const namedBy = (given: (name: string) => string | undefined): Given => ({
  policy: given('Policy'),
  expires: given('Expires'),
  signature: given('Signature'),
  keyPairId: given('Key-Pair-Id'),
  hash: given('Hash-Algorithm'),
});

const decoded = (text: string | undefined): string | undefined => {
  try {
    return text === undefined ? undefined : decodeURIComponent(text);
  } catch {
    return text;
  }
};

const splitOnce = (text: string, separator: string): [string, string?] => {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
};

/** Base64 in CloudFront's alphabet; undefined when it is not. */
const decode = (text: string): Buffer | undefined =>
  /^[A-Za-z0-9~-]+_{0,2}$/.test(text)
    ? Buffer.from(text.replaceAll('-', '+').replaceAll('_', '=').replaceAll('~', '/'), 'base64')
    : undefined;

/** The signed text: a custom policy as given, or the canned one CloudFront makes of the address and `Expires`. */
const policyIn = ({ policy, expires }: Given, resource: string): string => {
  if (policy !== undefined) {
    const decoded = decode(policy);
    if (decoded === undefined) throw new AwsError(403, 'MalformedPolicy', 'Malformed Policy');
    return decoded.toString('utf8');
  }
  if (expires === undefined || !/^\d{1,12}$/.test(expires))
    throw new AwsError(403, 'MissingPolicy', 'Missing Policy or Expires query parameter or cookie value');
  return `{"Statement":[{"Resource":"${resource}","Condition":{"DateLessThan":{"AWS:EpochTime":${expires}}}}]}`;
};

type Statement = {
  Resource?: string;
  Condition?: {
    DateLessThan?: { 'AWS:EpochTime'?: number };
    DateGreaterThan?: { 'AWS:EpochTime'?: number };
    IpAddress?: { 'AWS:SourceIp'?: string };
  };
};

/** @throws AwsError when the policy does not cover the request. */
const enforce = (policy: string, { url, ip, nowSeconds }: SignedRequest): void => {
  const statement = statementIn(policy);
  const { DateLessThan, DateGreaterThan, IpAddress } = statement.Condition ?? {};
  const until = DateLessThan?.['AWS:EpochTime'];
  if (typeof until !== 'number') throw new AwsError(403, 'MalformedPolicy', 'Malformed Policy');
  if (!matches(statement.Resource ?? '*', url) || nowSeconds >= until) throw denied();
  const from = DateGreaterThan?.['AWS:EpochTime'];
  if (from !== undefined && !(nowSeconds > from)) throw denied();
  const network = IpAddress?.['AWS:SourceIp'];
  if (network !== undefined && !isIn(network, ip)) throw denied();
};

const statementIn = (policy: string): Statement => {
  try {
    // White space would have to be removed before signing; CloudFront takes policies without any.
    if (/\s/.test(policy)) throw new SyntaxError('white space');
    const { Statement: statements } = JSON.parse(policy) as { Statement?: Statement[] };
    const [statement] = statements ?? [];
    if (statements?.length !== 1 || statement === undefined) throw new SyntaxError('one statement');
    return statement;
  } catch {
    throw new AwsError(403, 'MalformedPolicy', 'Malformed Policy');
  }
};

/** `*` stands for any characters, `?` for exactly one; `http*://` is a pattern like any other. */
const matches = (pattern: string, url: string): boolean =>
  new RegExp(
    `^${pattern
      .split('')
      .map((char) => (char === '*' ? '.*' : char === '?' ? '.' : char.replace(/[\\^$.|+()[\]{}]/, '\\$&')))
      .join('')}$`,
    's',
  ).test(url);

const isIn = (network: string, ip: string): boolean => {
  const [base = '', bits = '32'] = network.split('/');
  const address = ip.replace(/^::ffff:/, '');
  if (!isIPv4(base) || !isIPv4(address) || !/^\d{1,2}$/.test(bits) || Number(bits) > 32) return false;
  const mask = Number(bits) === 0 ? 0 : (~0 << (32 - Number(bits))) >>> 0;
  return (numberOf(base) & mask) >>> 0 === (numberOf(address) & mask) >>> 0;
};

const numberOf = (address: string): number =>
  address.split('.').reduce((number, part) => number * 256 + Number(part), 0);
