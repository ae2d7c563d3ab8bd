import type { IncomingMessage, ServerResponse } from 'node:http';
import { AwsError, invalidRequest, malformedXml } from './errors.ts';
import type { Bucket, CorsRule } from './types.ts';
import { childrenNamed, childText, element, parseXml, textElement, xmlDocument } from './xml.ts';

const METHODS = ['GET', 'PUT', 'POST', 'DELETE', 'HEAD'] as const;
const MAX_RULES = 100;

const isMethod = (text: string): text is CorsRule['allowedMethods'][number] =>
  METHODS.some((method) => method === text);

/** `*` stands for any run of characters, once per pattern. */
const matchesPattern = (pattern: string, value: string): boolean => {
  const star = pattern.indexOf('*');
  if (star < 0) return pattern === value;
  const [head, tail] = [pattern.slice(0, star), pattern.slice(star + 1)];
  return value.length >= head.length + tail.length && value.startsWith(head) && value.endsWith(tail);
};

const findRule = (
  rules: readonly CorsRule[],
  origin: string,
  method: string,
  headers: readonly string[],
): CorsRule | undefined =>
  rules.find(
    (rule) =>
      rule.allowedOrigins.some((pattern) => matchesPattern(pattern, origin)) &&
      rule.allowedMethods.some((allowed) => allowed === method) &&
      headers.every((name) =>
        (rule.allowedHeaders ?? []).some((pattern) => matchesPattern(pattern.toLowerCase(), name)),
      ),
  );

const setCorsHeaders = (res: ServerResponse, rule: CorsRule, origin: string): void => {
  const anyOrigin = rule.allowedOrigins.includes('*');
  res.setHeader('access-control-allow-origin', anyOrigin ? '*' : origin);
  if (!anyOrigin) res.setHeader('access-control-allow-credentials', 'true');
  res.setHeader('access-control-allow-methods', rule.allowedMethods.join(', '));
  if (rule.exposeHeaders?.length)
    res.setHeader('access-control-expose-headers', rule.exposeHeaders.join(', '));
  if (rule.maxAgeSeconds !== undefined) res.setHeader('access-control-max-age', rule.maxAgeSeconds);
  res.setHeader('vary', 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method');
};

/** Adds the bucket's CORS headers to an actual response, success or error, when a rule matches. */
export const applyCors = (req: IncomingMessage, res: ServerResponse, bucket: Bucket | undefined): void => {
  const origin = req.headers.origin;
  if (origin === undefined || bucket?.cors === undefined) return;
  const rule = findRule(bucket.cors, origin, req.method ?? '', []);
  if (rule !== undefined) setCorsHeaders(res, rule, origin);
};

const forbidden = (message: string): AwsError =>
  new AwsError(403, 'AccessForbidden', `CORSResponse: ${message}`);

/** Answers a preflight. It carries no signature by nature. Throws `AccessForbidden` when no rule allows the request. */
export const answerPreflight = (
  req: IncomingMessage,
  res: ServerResponse,
  bucket: Bucket | undefined,
): void => {
  const origin = req.headers.origin;
  const method = req.headers['access-control-request-method'];
  if (origin === undefined) {
    throw new AwsError(400, 'BadRequest', 'Insufficient information. Origin request header needed.');
  }
  if (method === undefined || !isMethod(method)) {
    throw new AwsError(
      400,
      'BadRequest',
      'Invalid Access-Control-Request-Method: a supported method is needed.',
    );
  }
  if (bucket?.cors === undefined) throw forbidden('CORS is not enabled for this bucket.');
  const asked = (req.headers['access-control-request-headers'] ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '');
  const rule = findRule(bucket.cors, origin, method, asked);
  if (rule === undefined) {
    throw forbidden(
      'This CORS request is not allowed: the bucket has no CORS rule for this origin, method and set of headers.',
    );
  }
  setCorsHeaders(res, rule, origin);
  if (asked.length > 0) res.setHeader('access-control-allow-headers', asked.join(', '));
  res.statusCode = 200;
  res.setHeader('content-length', 0);
  res.end();
};

const moreThanOneStar = (text: string): boolean => text.indexOf('*') !== text.lastIndexOf('*');

/** Checks rules the way PutBucketCors does. Throws `InvalidRequest`. */
export const checkCorsRules = (rules: readonly CorsRule[]): void => {
  if (rules.length > MAX_RULES)
    throw invalidRequest('The number of CORS rules should not exceed allowed limit of 100 rules.');
  for (const rule of rules) {
    const origin = rule.allowedOrigins.find(moreThanOneStar);
    if (origin !== undefined)
      throw invalidRequest(`AllowedOrigin "${origin}" can not have more than one wildcard.`);
    const header = rule.allowedHeaders?.find(moreThanOneStar);
    if (header !== undefined)
      throw invalidRequest(`AllowedHeader "${header}" can not have more than one wildcard.`);
    const exposed = rule.exposeHeaders?.find((name) => !/^[A-Za-z0-9!#$%&'+.^_`|~-]+$/.test(name));
    if (exposed !== undefined) {
      throw invalidRequest(
        `ExposeHeader "${exposed}" contains wildcard. We currently do not support wildcard for ExposeHeader.`,
      );
    }
  }
};

/** Reads a `<CORSConfiguration>` document. Throws `MalformedXML`, `InvalidRequest`. */
export const parseCorsRules = (source: string): CorsRule[] => {
  const document = parseXml(source);
  if (document.name !== 'CORSConfiguration') throw malformedXml();
  const rules = childrenNamed(document, 'CORSRule').map((rule): CorsRule => {
    const texts = (name: string): string[] => childrenNamed(rule, name).map((child) => child.text.trim());
    const methods = texts('AllowedMethod');
    const unknown = methods.find((method) => !isMethod(method));
    if (unknown !== undefined) {
      throw invalidRequest(`Found unsupported HTTP method in CORS config. Unsupported method is ${unknown}`);
    }
    const maxAge = childText(rule, 'MaxAgeSeconds')?.trim();
    const id = childText(rule, 'ID');
    if (texts('AllowedOrigin').length === 0 || methods.length === 0) throw malformedXml();
    if (maxAge !== undefined && !/^\d{1,9}$/.test(maxAge)) throw malformedXml();
    return {
      ...(id !== undefined && { id }),
      allowedOrigins: texts('AllowedOrigin'),
      allowedMethods: methods.filter(isMethod),
      allowedHeaders: texts('AllowedHeader'),
      exposeHeaders: texts('ExposeHeader'),
      ...(maxAge !== undefined && { maxAgeSeconds: Number(maxAge) }),
    };
  });
  if (rules.length === 0) throw malformedXml();
  checkCorsRules(rules);
  return rules;
};

export const corsDocument = (rules: readonly CorsRule[]): string =>
  xmlDocument(
    'CORSConfiguration',
    ...rules.map((rule) =>
      element(
        'CORSRule',
        textElement('ID', rule.id),
        ...rule.allowedOrigins.map((origin) => textElement('AllowedOrigin', origin)),
        ...rule.allowedMethods.map((method) => textElement('AllowedMethod', method)),
        ...(rule.allowedHeaders ?? []).map((header) => textElement('AllowedHeader', header)),
        ...(rule.exposeHeaders ?? []).map((header) => textElement('ExposeHeader', header)),
        textElement('MaxAgeSeconds', rule.maxAgeSeconds),
      ),
    ),
  );
