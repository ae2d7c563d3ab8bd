import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { authenticateRequest } from '../aws-gate/body.ts';
import { escapeXml } from '../aws-gate/errors.ts';
import type { AwsCredentials } from '../aws-gate/verify.ts';

export type CloudFrontOptions = {
  credentials: readonly AwsCredentials[];
  /** The one distribution there is. */
  distributionId: string;
  /** How long an invalidation is in progress; real ones take seconds to minutes. */
  invalidationMs?: number;
  now?: () => Date;
};

export type Invalidation = {
  id: string;
  callerReference: string;
  paths: readonly string[];
  createdAt: Date;
};

export type CloudFrontHandler = {
  /** Answers a request of the CloudFront API; false, with nothing sent, for any other. */
  handle(req: IncomingMessage, res: ServerResponse): Promise<boolean>;
  /** Every invalidation accepted so far, in order. */
  invalidations(): readonly Invalidation[];
};

const NAMESPACE = 'http://cloudfront.amazonaws.com/doc/2020-05-31/';
const MAX_BODY_BYTES = 1_000_000;
const MAX_PATHS = 3000;
const MAX_WILDCARDS = 15;

type Failure = { status: number; code: string; message: string };
const failure = (status: number, code: string, message: string): Failure => ({ status, code, message });

/**
 * The part of the CloudFront API that invalidates: `CreateInvalidation`, `GetInvalidation` and `ListInvalidations`, with checked
 * signatures, CallerReferences that make a repeated request the same one, and the limits on paths in progress.
 */
export const createCloudFrontHandler = (options: CloudFrontOptions): CloudFrontHandler => {
  const now = options.now ?? (() => new Date());
  const { invalidationMs = 0 } = options;
  const known: Invalidation[] = [];
  const inProgress = (one: Invalidation): boolean =>
    now().getTime() - one.createdAt.getTime() < invalidationMs;

  const create = (xml: string): Invalidation | Failure => {
    const callerReference = textsOf(xml, 'CallerReference')[0] ?? '';
    const paths = textsOf(xml, 'Path');
    const quantity = Number(textsOf(xml, 'Quantity')[0]);
    if (callerReference === '' || paths.length === 0 || paths.some((path) => !path.startsWith('/')))
      return failure(400, 'InvalidArgument', 'Your request contains an invalid path or no caller reference.');
    if (quantity !== paths.length)
      return failure(
        400,
        'InconsistentQuantities',
        'The value of Quantity and the size of Items do not match.',
      );
    const same = known.find((one) => one.callerReference === callerReference);
    if (same !== undefined) {
      if (same.paths.join('\n') === paths.join('\n')) return same;
      return failure(
        409,
        'InvalidationBatchAlreadyExists',
        'The caller reference was used for another batch.',
      );
    }
    const running = known.filter(inProgress).flatMap((one) => one.paths);
    const wildcards = [...running, ...paths].filter((path) => path.endsWith('*'));
    if (wildcards.length > MAX_WILDCARDS || running.length + paths.length > MAX_PATHS)
      return failure(
        400,
        'TooManyInvalidationsInProgress',
        'You have exceeded the maximum number of allowable InProgress invalidations.',
      );
    const id = `I${randomBytes(12)
      .toString('base64url')
      .toUpperCase()
      .replaceAll(/[^A-Z0-9]/g, '7')
      .slice(0, 13)}`;
    const made = { id, callerReference, paths, createdAt: now() };
    known.push(made);
    return made;
  };

  const present = (one: Invalidation): string =>
    `<Invalidation xmlns="${NAMESPACE}"><Id>${one.id}</Id><Status>${inProgress(one) ? 'InProgress' : 'Completed'}</Status>` +
    `<CreateTime>${one.createdAt.toISOString()}</CreateTime><InvalidationBatch><Paths><Quantity>${one.paths.length}</Quantity>` +
    `<Items>${one.paths.map((path) => `<Path>${escapeXml(path)}</Path>`).join('')}</Items></Paths>` +
    `<CallerReference>${escapeXml(one.callerReference)}</CallerReference></InvalidationBatch></Invalidation>`;

  const answer = async (req: IncomingMessage, res: ServerResponse, path: string): Promise<void> => {
    const gate = await authenticateRequest(
      req,
      { service: 'cloudfront', region: 'us-east-1', credentials: options.credentials, now },
      MAX_BODY_BYTES,
    );
    if (!gate.ok) return sendFailure(res, gate);
    const [, distribution, id] =
      /^\/2020-05-31\/distribution\/([^/]+)\/invalidation(?:\/([^/]+))?$/.exec(path) ?? [];
    if (distribution !== options.distributionId)
      return sendFailure(
        res,
        failure(404, 'NoSuchDistribution', 'The specified distribution does not exist.'),
      );
    if (req.method === 'POST' && id === undefined) {
      const made = create(gate.body.toString('utf8'));
      return 'code' in made ? sendFailure(res, made) : sendXml(res, 201, present(made));
    }
    if (req.method !== 'GET') return sendFailure(res, failure(405, 'MethodNotAllowed', 'Not allowed.'));
    if (id === undefined) return sendXml(res, 200, list());
    const found = known.find((one) => one.id === id);
    if (found === undefined)
      return sendFailure(
        res,
        failure(404, 'NoSuchInvalidation', 'The specified invalidation does not exist.'),
      );
    sendXml(res, 200, present(found));
  };

  const list = (): string => {
    const items = known
      .toReversed()
      .map(
        (one) =>
          `<InvalidationSummary><Id>${one.id}</Id><CreateTime>${one.createdAt.toISOString()}</CreateTime>` +
          `<Status>${inProgress(one) ? 'InProgress' : 'Completed'}</Status></InvalidationSummary>`,
      );
    return (
      `<InvalidationList xmlns="${NAMESPACE}"><Marker></Marker><MaxItems>${items.length}</MaxItems>` +
      `<IsTruncated>false</IsTruncated><Quantity>${items.length}</Quantity><Items>${items.join('')}</Items></InvalidationList>`
    );
  };

  return {
    invalidations: () => known,
    async handle(req, res) {
      const path = (req.url ?? '').split('?')[0] ?? '';
      if (!path.startsWith('/2020-05-31/')) return false;
      await answer(req, res, path);
      return true;
    },
  };
};

const textsOf = (xml: string, name: string): string[] =>
  [...xml.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, 'g'))].map(([, text = '']) =>
    text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(amp|lt|gt|quot|apos));/gi, (_, hexadecimal, decimal, name) =>
      name === undefined
        ? String.fromCodePoint(hexadecimal === undefined ? Number(decimal) : Number.parseInt(hexadecimal, 16))
        : ({ amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }[String(name)] ?? ''),
    ),
  );

const sendXml = (res: ServerResponse, status: number, xml: string): void => {
  res.writeHead(status, { 'content-type': 'text/xml' });
  res.end(`<?xml version="1.0"?>\n${xml}`);
};

const sendFailure = (res: ServerResponse, { status, code, message }: Failure): void =>
  sendXml(
    res,
    status,
    `<ErrorResponse xmlns="${NAMESPACE}"><Error><Type>Sender</Type><Code>${code}</Code>` +
      `<Message>${escapeXml(message)}</Message></Error><RequestId>${randomBytes(16).toString('hex')}</RequestId></ErrorResponse>`,
  );
