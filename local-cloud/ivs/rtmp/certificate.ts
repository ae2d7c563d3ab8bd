import { generateKeyPairSync, randomBytes, sign, X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ECDSA_WITH_SHA256 = '2a8648ce3d040302';
const COMMON_NAME = '550403';
const SUBJECT_ALT_NAME = '551d11';
const VALID_DAYS = 397;

/** One that ends sooner is made anew. */
const SPARE_DAYS = 30;
const DAY_MS = 86_400_000;

const SEQUENCE = 0x30;
const SET = 0x31;

function der(tag: number, ...content: readonly Buffer[]): Buffer {
  const body = Buffer.concat(content);
  const length =
    body.length < 0x80
      ? Buffer.from([body.length])
      : body.length < 0x100
        ? Buffer.from([0x81, body.length])
        : Buffer.from([0x82, body.length >> 8, body.length & 0xff]);
  return Buffer.concat([Buffer.from([tag]), length, body]);
}

const identifier = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
/** UTCTime, `YYMMDDhhmmssZ`. */
const time = (date: Date): Buffer =>
  der(0x17, Buffer.from(`${date.toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`));

export type Certificate = { readonly key: string; readonly cert: string };

/** The certificate in a directory, made when there is none that still lasts; kept, so that encoders can be told to trust it. */
export function keptCertificate(directory: string, now: Date): Certificate {
  const [keyPath, certPath] = [join(directory, 'ingest.key'), join(directory, 'ingest.crt')];
  try {
    const cert = readFileSync(certPath, 'utf8');
    if (Date.parse(new X509Certificate(cert).validTo) > now.getTime() + SPARE_DAYS * DAY_MS)
      return { key: readFileSync(keyPath, 'utf8'), cert };
  } catch {
    // There is none yet.
  }
  const made = selfSignedCertificate(now);
  mkdirSync(directory, { recursive: true });
  writeFileSync(keyPath, made.key, { mode: 0o600 });
  writeFileSync(certPath, made.cert);
  return made;
}

/**
 * A certificate for `localhost` and 127.0.0.1 that is signed with its own key (X.509 v3, RFC 5280), since Node makes
 * keys but no certificates.
 */
function selfSignedCertificate(now: Date): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = der(SEQUENCE, identifier(ECDSA_WITH_SHA256));
  const name = der(
    SEQUENCE,
    der(SET, der(SEQUENCE, identifier(COMMON_NAME), der(0x0c, Buffer.from('localhost')))),
  );
  // Positive and without a leading zero byte.
  const serial = Buffer.concat([Buffer.from([0x5f]), randomBytes(15)]);
  const names = der(SEQUENCE, der(0x82, Buffer.from('localhost')), der(0x87, Buffer.from([127, 0, 0, 1])));
  const extensions = der(0xa3, der(SEQUENCE, der(SEQUENCE, identifier(SUBJECT_ALT_NAME), der(0x04, names))));
  const toBeSigned = der(
    SEQUENCE,
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    algorithm,
    name,
    der(
      SEQUENCE,
      time(new Date(now.getTime() - DAY_MS)),
      time(new Date(now.getTime() + VALID_DAYS * DAY_MS)),
    ),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    extensions,
  );
  const signature = sign('sha256', toBeSigned, privateKey);
  const certificate = der(SEQUENCE, toBeSigned, algorithm, der(0x03, Buffer.from([0]), signature));
  const base64 = certificate.toString('base64').replace(/.{64}(?=.)/g, '$&\n');
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`,
  };
}
