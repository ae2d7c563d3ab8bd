import { createHmac } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { sendJson } from './http.ts';
import type { State } from './state.ts';
import { misbehave } from './token.ts';
import type { StandInProvider } from './types.ts';

/** The profile APIs of the providers without id tokens. */
export function answerProfile(
  state: State,
  provider: StandInProvider,
  path: string,
  query: URLSearchParams,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const token =
    /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? query.get('access_token') ?? '';
  const consent = state.accessTokens.get(token);
  if (consent === undefined || consent.request.provider !== provider) {
    sendJson(response, 401, { message: 'Bad credentials' });
    return;
  }
  const { person, fault } = consent;
  if (misbehave(fault.replace(/^profile_/, ''), fault.startsWith('profile_'), response)) return;
  const email = person.email === '' ? {} : { email: person.email };
  switch (path) {
    case '/user':
      if (request.headers['user-agent'] === undefined)
        sendJson(response, 403, { message: 'User-Agent is required' });
      else
        sendJson(response, 200, {
          id: Number(person.subject),
          login: person.username,
          name: person.name,
          email: null,
        });
      return;
    case '/user/emails':
      sendJson(response, 200, [
        {
          email: `${person.username}@users.noreply.github.com`,
          primary: false,
          verified: true,
          visibility: null,
        },
        ...(person.email === ''
          ? []
          : [{ email: person.email, primary: true, verified: person.emailVerified, visibility: 'private' }]),
      ]);
      return;
    case '/2/users/me': {
      const asked = query.get('user.fields')?.split(',').includes('confirmed_email') === true;
      const confirmed =
        asked && person.emailVerified && person.email !== '' ? { confirmed_email: person.email } : {};
      sendJson(response, 200, {
        data: { id: person.subject, name: person.name, username: person.username, ...confirmed },
      });
      return;
    }
    case '/v23.0/me': {
      const proof = createHmac('sha256', state.clients.facebook.secret).update(token).digest('hex');
      if (query.get('appsecret_proof') !== proof) {
        const message = 'API calls from the server require an appsecret_proof argument';
        sendJson(response, 400, { error: { message, type: 'GraphMethodException', code: 100 } });
        return;
      }
      const fields = query.get('fields')?.split(',') ?? ['id', 'name'];
      const all: Record<string, string> = { id: person.subject, name: person.name, ...email };
      sendJson(
        response,
        200,
        Object.fromEntries(Object.entries(all).filter(([name]) => fields.includes(name))),
      );
      return;
    }
    default:
      sendJson(response, 404, { message: 'Not Found' });
  }
}
