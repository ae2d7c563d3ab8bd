import { escapeHtml } from './http.ts';
import type { AuthorizationRequest, TestPerson } from './types.ts';

const people: readonly TestPerson[] = [
  {
    subject: '100000000001',
    name: 'Amara Okafor',
    username: 'amara_films',
    email: 'amara@gmail.com',
    emailVerified: true,
  },
  {
    subject: '100000000002',
    name: 'Kenji Mori',
    username: 'kenji',
    email: 'kenji@gmail.com',
    emailVerified: true,
  },
  { subject: '100000000003', name: 'Nobody Known', username: 'newcomer', email: '', emailVerified: false },
];

const shell = (title: string, body: string): string => `<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>${escapeHtml(title)}</title>
<style>body{font:16px system-ui;max-width:34rem;margin:3rem auto;padding:0 1rem}button{font:inherit;padding:.4rem .8rem;margin:.2rem}
label{display:block;margin:.5rem 0}input[type=text]{font:inherit;width:100%}</style><h1>${escapeHtml(title)}</h1>${body}</html>`;

const hidden = (fields: Readonly<Record<string, string>>): string =>
  Object.entries(fields)
    .map(([name, value]) => `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`)
    .join('');

/** Where a developer chooses who logs in, or refuses. */
export function consentPage(requestId: string, { provider, scope }: AuthorizationRequest): string {
  const form = (fields: Readonly<Record<string, string>>, inner: string): string =>
    `<form method="post" action="/${provider}/consent">${hidden({ request: requestId, ...fields })}${inner}</form>`;
  const known = people
    .map((person) =>
      form(
        {
          decision: 'allow',
          subject: person.subject,
          name: person.name,
          username: person.username,
          email: person.email,
          ...(person.emailVerified ? { email_verified: 'true' } : {}),
        },
        `<button>${escapeHtml(`${person.name} <${person.email || 'no e-mail'}>`)}</button>`,
      ),
    )
    .join('');
  const typed = form(
    { decision: 'allow' },
    `<label>Subject (digits; made of the address when empty) <input type="text" name="subject"></label>
    <label>Name <input type="text" name="name"></label><label>Username <input type="text" name="username"></label>
    <label>E-mail <input type="text" name="email"></label>
    <label><input type="checkbox" name="email_verified" value="true"> the address is verified</label><button>Continue</button>`,
  );
  const deny = form({ decision: 'deny' }, '<button>Deny</button>');
  return shell(
    `Log in with ${provider} (stand-in)`,
    `<p>For development only. Asked for: ${escapeHtml(scope.join(' '))}.</p>${known}<h2>Someone else</h2>${typed}<h2>Or</h2>${deny}`,
  );
}

/** A form the browser posts by itself (OAuth 2.0 Form Post Response Mode). */
export const formPostPage = (action: string, fields: Readonly<Record<string, string>>): string =>
  shell(
    'Going back',
    `<form method="post" action="${escapeHtml(action)}">${hidden(fields)}<button>Continue</button></form>
    <script>document.forms[0].submit()</script>`,
  );

export const errorPage = (text: string): string =>
  shell('This request is not right', `<p>${escapeHtml(text)}</p>`);
