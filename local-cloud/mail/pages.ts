import { escapeXml } from '../aws-gate/errors.ts';
import type { StoredMail } from './store.ts';

const page = (title: string, body: string, head = ''): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escapeXml(title)}</title>${head}
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem}
pre{background:#f4f4f4;padding:1rem;white-space:pre-wrap;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%}td{padding:.3rem .6rem;border-top:1px solid #ddd}
iframe{width:100%;height:24rem;border:1px solid #ddd}</style></head>
<body><h1>${escapeXml(title)}</h1>${body}</body></html>`;

const text = (value: string): string => escapeXml(value).replaceAll('&#xa;', '\n');

/** The list of mails, newest first. */
export const inboxPage = (mails: readonly StoredMail[]): string =>
  page(
    'Mails of the local cloud',
    `<p>Nothing leaves this machine. As JSON: <a href="/api/mails">/api/mails</a>, <code>?to=ada@example.com</code> for one address.</p>
${mails.length === 0 ? '<p>No mail yet.</p>' : ''}
<table>${mails
      .map(
        (mail) =>
          `<tr><td>${mail.receivedAt.slice(0, 19).replace('T', ' ')}</td><td>${text(mail.to.join(', '))}</td><td><a href="/mails/${encodeURIComponent(mail.id)}">${text(mail.subject)}</a></td></tr>`,
      )
      .join('\n')}</table>`,
    '<meta http-equiv="refresh" content="5">',
  );

const TOKEN = /\bsf[vp]_[A-Za-z0-9_-]{49}/;

/** How to use the token of a mail without the client app. */
function curlOf(token: string, apiUrl: string): string {
  const body = (extra: string) => `'{"token":"${token}"${extra}}'`;
  const json = "-H 'content-type: application/json'";
  return token.startsWith('sfp_')
    ? `curl -i ${apiUrl}/v1/auth/password-reset/confirm ${json} \\\n  -d ${body(',"new_password":"a new passphrase of mine"')}`
    : `curl -i ${apiUrl}/v1/auth/email-verification/confirm -H "authorization: Bearer $TOKEN" ${json} \\\n  -d ${body('')}`;
}

/** One mail, and what a developer can do with its link. */
export function mailPage(mail: StoredMail, apiUrl: string): string {
  const token = TOKEN.exec(mail.text)?.[0];
  return page(
    mail.subject,
    `<p><a href="/">All mails</a></p>
<p>From ${text(mail.from)} to ${text(mail.to.join(', '))}, ${mail.receivedAt}</p>
<pre>${text(mail.text)}</pre>
${token === undefined ? '' : `<h2>Without a client app</h2><pre>${text(curlOf(token, apiUrl))}</pre>`}
<h2>As HTML</h2><iframe sandbox srcdoc="${text(mail.html)}"></iframe>`,
  );
}

/** Stands where the client app would read the token from the fragment of a link. `nonce` allows its script. */
export const appPage = (apiUrl: string, nonce: string): string =>
  page(
    'Here the client app would open',
    `<p>It reads the token from the fragment of the address, which never reaches a server, and calls the API:</p>
<pre id="call">There is no token in this address.</pre>
<script nonce="${nonce}">
const token = new URLSearchParams(location.hash.slice(1)).get('token') ?? '';
if (/^sf[vp]_[A-Za-z0-9_-]{49}$/.test(token)) {
  const reset = token.startsWith('sfp_');
  const body = JSON.stringify(reset ? { token, new_password: 'a new passphrase of mine' } : { token });
  document.getElementById('call').textContent = 'curl -i ${escapeXml(apiUrl)}/v1/auth/'
    + (reset ? 'password-reset' : 'email-verification') + '/confirm'
    + (reset ? '' : ' -H "authorization: Bearer $TOKEN"')
    + " -H 'content-type: application/json' \\\\\\n  -d '" + body + "'";
}
</script>`,
  );
