import { z } from 'zod';
import { integer, list } from './fields.ts';
import { defineSection } from './section.ts';

const clientId = z.string().max(256);
const clientSecret = z.string().max(512);

// https, or a scheme of an app's own (RFC 8252 §7.1); a fragment is where the handoff code goes.
const returnUrl = z.string().refine((text) => {
  if (!URL.canParse(text)) return false;
  const { protocol, hash, username, password } = new URL(text);
  const ownScheme = /^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:$/.test(protocol);
  const known = protocol === 'https:' || protocol === 'http:' || ownScheme;
  return known && hash === '' && username === '' && password === '';
}, 'must hold absolute URLs of http, https or an app’s own scheme, without fragment or credentials');

export const oauthSection = defineSection('Social login', {
  returnUrls: {
    env: 'OAUTH_RETURN_URLS',
    schema: list().pipe(z.array(returnUrl).max(20)),
    default: '',
    doc: 'Where clients may ask to be sent after a social login, compared exactly. Empty: no social login.',
  },
  googleClientId: {
    env: 'GOOGLE_CLIENT_ID',
    schema: clientId,
    default: '',
    doc: 'Client id of Google. Empty: not offered.',
  },
  googleClientSecret: {
    env: 'GOOGLE_CLIENT_SECRET',
    schema: clientSecret,
    default: '',
    doc: 'Client secret of Google.',
    secret: true,
  },
  appleClientId: {
    env: 'APPLE_CLIENT_ID',
    schema: clientId,
    default: '',
    doc: 'Services id of Sign in with Apple. Empty: not offered.',
  },
  appleTeamId: {
    env: 'APPLE_TEAM_ID',
    schema: clientId,
    default: '',
    doc: 'Team that owns the services id.',
  },
  appleKeyId: {
    env: 'APPLE_KEY_ID',
    schema: clientId,
    default: '',
    doc: 'Id of the key that signs Apple’s client secrets.',
  },
  applePrivateKey: {
    env: 'APPLE_PRIVATE_KEY',
    schema: z.string().max(2_048),
    default: '',
    doc: 'That key: PKCS #8 PEM of a P-256 key, line breaks as `\\n` allowed.',
    secret: true,
  },
  facebookClientId: {
    env: 'FACEBOOK_APP_ID',
    schema: clientId,
    default: '',
    doc: 'App id of Facebook. Empty: not offered.',
  },
  facebookClientSecret: {
    env: 'FACEBOOK_APP_SECRET',
    schema: clientSecret,
    default: '',
    doc: 'App secret of Facebook.',
    secret: true,
  },
  githubClientId: {
    env: 'GITHUB_CLIENT_ID',
    schema: clientId,
    default: '',
    doc: 'Client id of GitHub. Empty: not offered.',
  },
  githubClientSecret: {
    env: 'GITHUB_CLIENT_SECRET',
    schema: clientSecret,
    default: '',
    doc: 'Client secret of GitHub.',
    secret: true,
  },
  xClientId: {
    env: 'X_CLIENT_ID',
    schema: clientId,
    default: '',
    doc: 'Client id of X. Empty: not offered.',
  },
  xClientSecret: {
    env: 'X_CLIENT_SECRET',
    schema: clientSecret,
    default: '',
    doc: 'Client secret of X.',
    secret: true,
  },
  timeoutMs: {
    env: 'OAUTH_TIMEOUT_MS',
    schema: integer(100, 30_000),
    default: '5000',
    unit: 'milliseconds',
    doc: 'How long one call to a provider may take.',
  },
  standInUrl: {
    env: 'OAUTH_STAND_IN_URL',
    schema: z.union([
      z.literal(''),
      z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/\/+$/, '')),
    ]),
    default: '',
    doc: 'For development: where stand-ins of all providers answer, each below a path of its name. Refused in production.',
  },
});
