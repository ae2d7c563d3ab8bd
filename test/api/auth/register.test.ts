import { describe, expect, it } from 'vitest';
import { call, callJson, roundTripsOf, sqlRows } from '../../support/worker/client.ts';
import {
  freshUsername,
  logIn,
  password,
  problemOf,
  registerAccount,
  registration,
  type SignedInBody,
} from './accounts.ts';

const register = (body: unknown, headers: Record<string, string> = {}) =>
  call('POST', '/v1/auth/register', { body, headers });

describe('registering', () => {
  it('makes an account and signs it in, in one round trip', async () => {
    const body = registration({ display_name: 'Ada Lovelace' });
    const response = await register(body);
    expect(response.status).toBe(201);
    expect(response.headers.get('cache-control')).toContain('no-store');
    expect(await roundTripsOf(response)).toMatchObject({ roundTrips: 1 });
    const signedIn = (await response.json()) as SignedInBody;
    expect(signedIn).toEqual({
      user: {
        id: expect.stringMatching(/^usr_[0-9a-z]{26}$/),
        username: body.username,
        display_name: 'Ada Lovelace',
        avatar_url: null,
        bio: '',
        website: null,
        email: body.email,
        email_verified: false,
        roles: ['user'],
        counters: { followers: 0, following: 0, posts: 0 },
        created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        updated_at: expect.stringMatching(/Z$/),
      },
      access_token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
      token_type: 'Bearer',
      expires_in: 1_800,
      refresh_token: expect.stringMatching(/^sfr_[\w-]{49}$/),
      refresh_expires_in: 604_800,
    });
    const me = await callJson<{ id: string }>(200, 'GET', '/v1/me', { token: signedIn.access_token });
    expect(me).toEqual(signedIn.user);
  });

  it('stores no password and no token, only hashes, and writes an audit entry', async () => {
    const signedIn = await registerAccount();
    const [row] = await sqlRows<{
      everything: string;
      password_hash: string;
      hash_length: number;
      actions: string[];
    }>(
      `SELECT users.password_hash, octet_length(token.token_hash) AS hash_length,
         concat(users::text, session::text, token::text, (SELECT string_agg(audit::text, ' ') FROM audit_log audit)) AS everything,
         (SELECT array_agg(action) FROM audit_log WHERE target_id = users.id::text) AS actions
       FROM users JOIN sessions session ON session.user_id = users.id JOIN refresh_tokens token ON token.session_id = session.id
       WHERE username = $1`,
      [signedIn.user.username],
    );
    expect(row?.password_hash).toMatch(/^\$scrypt\$ln=15,r=8,p=3,pv=1\$/);
    expect(row?.hash_length).toBe(32);
    expect(row?.everything).not.toContain(password);
    expect(row?.everything).not.toContain(signedIn.refresh_token);
    expect(row?.actions).toEqual(['auth.register']);
  });

  it('names people after their username when they give no display name', async () => {
    const signedIn = await registerAccount();
    expect(signedIn.user.display_name).toBe(signedIn.user.username);
  });

  it('keeps the case of a username but takes it once whatever its case', async () => {
    const username = `Mixed_${freshUsername()}`;
    expect((await registerAccount({ username })).user.username).toBe(username);
    const again = await register(registration({ username: username.toUpperCase() }));
    expect(await problemOf(again)).toMatchObject({ status: 409, code: 'users.username_taken' });
  });

  it('lets one of two people win a race for a username, and leaves nothing of the other', async () => {
    const username = freshUsername();
    const responses = await Promise.all([1, 2, 3].map(() => register(registration({ username }))));
    expect(responses.map((response) => response.status).toSorted()).toEqual([201, 409, 409]);
    const [counts] = await sqlRows(
      `SELECT (SELECT count(*) FROM users WHERE username = $1)::int AS users,
         (SELECT count(*) FROM sessions JOIN users ON users.id = user_id WHERE username = $1)::int AS sessions,
         (SELECT count(*) FROM sessions WHERE NOT EXISTS (SELECT FROM refresh_tokens WHERE session_id = sessions.id))::int AS bare`,
      [username],
    );
    expect(counts).toEqual({ users: 1, sessions: 1, bare: 0 });
  });

  it('says the same for an e-mail address somebody has, verified or not', async () => {
    const first = await registerAccount();
    const email = String(first.user.email);
    const unverified = await register(registration({ email }));
    await sqlRows('UPDATE users SET email_verified_at = now() WHERE username = $1', [first.user.username]);
    const verified = await register(registration({ email: email.toUpperCase() }));
    const fresh = await register(registration());
    const shapes = await Promise.all(
      [unverified, verified, fresh].map(async (response) => {
        const { user, ...tokens } = (await response.json()) as SignedInBody;
        return {
          status: response.status,
          verified: user.email_verified,
          fields: Object.keys(tokens).toSorted(),
        };
      }),
    );
    expect(shapes[0]).toEqual(shapes[2]);
    expect(shapes[1]).toEqual(shapes[2]);
    expect(shapes[0]?.verified).toBe(false);
  });

  it.each([
    ['password', 'too_common'],
    ['Passw0rd!', 'too_common'],
    ['1234567890', 'too_common'],
    ['short 7', 'too_short'],
    ['🦉'.repeat(7), 'too_short'],
    ['ab1'.repeat(43), 'too_long'],
  ])('refuses the password %j', async (attempt, code) => {
    const response = await register(registration({ password: attempt }));
    expect(await problemOf(response)).toMatchObject({
      status: 422,
      code: 'auth.password_refused',
      errors: [{ pointer: '/password', code }],
    });
  });

  it('refuses a password made of the account name', async () => {
    const body = registration();
    for (const attempt of [`${body.username}1`, body.email.toUpperCase()])
      expect(await problemOf(await register({ ...body, password: attempt }))).toMatchObject({
        code: 'auth.password_refused',
        errors: [{ code: 'contains_account_name' }],
      });
  });

  it('takes a password exactly as received', async () => {
    const exact = '  Ünïcode 🦉 \t\u0000 <b>"\'; DROP TABLE users; --  ';
    const { user } = await registerAccount({ password: exact });
    expect((await logIn(user.username, exact)).status).toBe(200);
    for (const attempt of [exact.trim(), exact.normalize('NFD'), exact.toLowerCase()])
      expect((await logIn(user.username, attempt)).status).toBe(401);
  });

  it.each(['admin', 'Support', `usr_${'0'.repeat(26)}`])('reserves the username %s', async (username) => {
    const response = await register(registration({ username }));
    expect(await problemOf(response)).toMatchObject({ status: 422, code: 'users.username_reserved' });
  });

  it.each([
    ['ab', '/username'],
    ['a'.repeat(31), '/username'],
    ['ada lovelace', '/username'],
    ['ada-lovelace', '/username'],
    ['аdmin', '/username'],
    ['ada\n', '/username'],
    ['', '/username'],
    [42, '/username'],
    [null, '/username'],
  ])('refuses the username %j', async (username, pointer) => {
    const response = await register(registration({ username }));
    expect(await problemOf(response)).toMatchObject({
      status: 422,
      code: 'request.invalid',
      errors: [{ pointer }],
    });
  });

  it.each([
    'ada',
    'ada@',
    '@example.com',
    'ada@example',
    'ada @example.com',
    'ada@exa\u0000mple.com',
    `${'a'.repeat(250)}@example.com`,
    'a@b.c\r\nBcc: x@y.z',
  ])('refuses the e-mail address %j', async (email) => {
    const response = await register(registration({ email }));
    expect(await problemOf(response)).toMatchObject({ status: 422, errors: [{ pointer: '/email' }] });
  });

  it.each([
    ['four-byte characters', '🦉 Ada 🇬🇧 𝒜𝒹𝒶'],
    ['right-to-left text', 'עדה לאבלייס‏ آدا'],
    ['HTML', '<script>alert(1)</script>'],
    ['SQL', "Robert'); DROP TABLE users;--"],
  ])('keeps %s in a display name as typed', async (_, displayName) => {
    const { user } = await registerAccount({ display_name: displayName });
    expect(user.display_name).toBe(displayName.normalize('NFC'));
  });

  it.each([
    ['a direction override', 'Ada\u202egnp.exe'],
    ['a NUL', 'Ada\u0000'],
    ['a lone surrogate', 'Ada \ud800'],
    ['only spaces', '   '],
    ['51 characters', '🦉'.repeat(51)],
    ['two lines', 'Ada\nLovelace'],
  ])('refuses a display name with %s', async (_, displayName) => {
    const response = await register(registration({ display_name: displayName }));
    expect(await problemOf(response)).toMatchObject({ status: 422, errors: [{ pointer: '/display_name' }] });
  });

  it('refuses unknown fields, by name, and writes nothing', async () => {
    const body = registration({ roles: ['admin'], email_verified_at: '2020-01-01T00:00:00Z' });
    const problem = await problemOf(await register(body));
    expect(problem).toMatchObject({ status: 422, code: 'request.invalid' });
    expect(problem.errors).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ pointer: '/roles', code: 'unknown_field' }),
        expect.objectContaining({ pointer: '/email_verified_at', code: 'unknown_field' }),
      ]),
    );
    expect(await sqlRows('SELECT FROM users WHERE username = $1', [body.username])).toHaveLength(0);
  });

  it.each([
    ['malformed JSON', '{"username":', 400, 'request.malformed_json'],
    ['a JSON list', '[]', 422, 'request.invalid'],
    ['nothing', undefined, 422, 'request.invalid'],
  ])('refuses %s', async (_, body, status, code) => {
    expect(await problemOf(await register(body))).toMatchObject({ status, code });
  });

  it('refuses a body that is not JSON', async () => {
    const response = await register('username=ada', { 'content-type': 'application/x-www-form-urlencoded' });
    expect(await problemOf(response)).toMatchObject({ status: 415 });
  });
});
