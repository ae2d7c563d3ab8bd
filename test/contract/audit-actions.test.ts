import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
// By address, since the Worker's sources are type-checked against workerd's types and this test against Node's.
const { shownActions } = (await import(
  new URL('../../src/modules/security-events/security-events.policy.ts', import.meta.url).href
)) as { readonly shownActions: readonly string[] };

// Written down and not shown to the account's owner: mails and errors of ours, what staff read, what no longer has an owner.
const notShown = [
  'account.erased',
  'account.erasure_step_given_up',
  'admin.account_viewed',
  'admin.admin_proposed',
  'admin.proposal_withdrawn',
  'admin.proposals_listed',
  'admin.users_searched',
  'auth.email_verification_requested',
  'auth.token_mailed',
  'passkeys.register',
];

const written = readdirSync(join(root, 'src', 'modules'), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .flatMap((entry) => [
    ...readFileSync(join(entry.parentPath, entry.name), 'utf8').matchAll(
      /\baction(?:: | = )'((?:account|admin|api_keys|auth|factors|identities|passkeys)\.[a-z_]+)'/g,
    ),
  ])
  .map(([, action = '']) => action);

it('every action of security is shown to its owner, or is written down here as one that is not', () => {
  expect(written.length).toBeGreaterThan(30);
  const known = new Set([...shownActions, ...notShown]);
  expect([...new Set(written)].filter((action) => !known.has(action)).sort()).toEqual([]);
});
