import { afterEach, describe, expect, it, vi } from 'vitest';
import { fetchPublic, OutboundError, readAtMost } from '../../../src/integrations/outbound/index.ts';

const config = {
  dohUrl: 'https://resolver.test/dns-query',
  dohTimeoutMs: 500,
  ports: [443],
  trustedHosts: [],
};

afterEach(() => vi.restoreAllMocks());

type Records = Readonly<Record<string, readonly string[] | 'servfail' | 'broken'>>;

/** A network of names and pages; returns the addresses that were called, without those of the resolver. */
function network(names: Records, pages: Readonly<Record<string, () => Response>>): string[] {
  const called: string[] = [];
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (input) => {
    const url = new URL(String(input));
    if (url.hostname === 'resolver.test') return dnsAnswer(names[url.searchParams.get('name') ?? ''], url);
    called.push(url.href);
    const page = pages[url.href];
    if (page === undefined) throw new TypeError('connection refused');
    return page();
  });
  return called;
}

function dnsAnswer(records: Records[string] | undefined, question: URL): Response {
  if (records === 'broken') return new Response('<html>', { status: 200 });
  if (records === 'servfail') return Response.json({ Status: 2 });
  if (records === undefined) return Response.json({ Status: 3 });
  const type = question.searchParams.get('type') === 'AAAA' ? 28 : 1;
  const data = records.filter((address) => address.includes(':') === (type === 28));
  return Response.json({
    Status: 0,
    Answer: [{ type: 5, data: 'alias.example.' }, ...data.map((address) => ({ type, data: address }))],
  });
}

const get = (url: string, maxRedirects: 0 | 5 = 5) =>
  fetchPublic(config, url, { method: 'GET', maxRedirects, signal: AbortSignal.timeout(5_000) });
const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'no failure',
    (error: unknown) =>
      error instanceof OutboundError ? [error.failure, error.problem, error.retryable] : error,
  );
const redirect = (location: string) => () => new Response(null, { status: 302, headers: { location } });
const publicHost = ['93.184.216.34', '2606:2800:220:1:248:1893:25c8:1946'];

describe('calling an address a user gave', () => {
  it('answers with what the public host says', async () => {
    network({ 'films.example': publicHost }, { 'https://films.example/a.mp4': () => new Response('film') });
    const { response, url } = await get('https://films.example/a.mp4');
    expect([await response.text(), url]).toEqual(['film', 'https://films.example/a.mp4']);
  });

  it.each([
    ['a private address', { 'films.example': ['10.0.0.7'] }],
    ['one private address among public ones', { 'films.example': [...publicHost, '192.168.0.1'] }],
    ['a private IPv6 address beside a public IPv4 one', { 'films.example': ['93.184.216.34', 'fd00::1'] }],
    ['an IPv4 address in an IPv6 one', { 'films.example': ['::ffff:93.184.216.34'] }],
  ] as const)('does not call a name with %s', async (_, names) => {
    const called = network(names, {});
    expect(await failureOf(get('https://films.example/a.mp4'))).toEqual([
      'refused',
      'private_address',
      false,
    ]);
    expect(called).toEqual([]);
  });

  it('does not call a name whose addresses it cannot learn', async () => {
    const called = network({ 'a.example': 'servfail', 'b.example': 'broken', 'd.example': [] }, {});
    expect(await failureOf(get('https://a.example/'))).toEqual(['unresolved', undefined, true]);
    expect(await failureOf(get('https://b.example/'))).toEqual(['unresolved', undefined, true]);
    expect(await failureOf(get('https://c.example/'))).toEqual(['unknown_host', undefined, false]);
    expect(await failureOf(get('https://d.example/'))).toEqual(['unknown_host', undefined, false]);
    expect(called).toEqual([]);
  });

  it('follows redirects between public hosts, relative ones too', async () => {
    const called = network(
      { 'a.example': publicHost, 'b.example': publicHost },
      {
        'https://a.example/1': redirect('https://b.example/2'),
        'https://b.example/2': redirect('/3?x=1'),
        'https://b.example/3?x=1': () => new Response('there'),
      },
    );
    const { response, url } = await get('https://a.example/1');
    expect([await response.text(), url]).toEqual(['there', 'https://b.example/3?x=1']);
    expect(called).toHaveLength(3);
  });

  it.each([
    ['http://b.example/', 'scheme'],
    ['https://127.0.0.1/', 'private_address'],
    ['https://[::1]/', 'private_address'],
    ['https://inside.example/', 'private_address'],
    ['https://user:pw@b.example/', 'credentials'],
    ['https://localhost/', 'host'],
    ['https://b.example:6379/', 'port'],
    ['https://', 'malformed'],
  ])('does not follow a redirect to %s', async (location, problem) => {
    const called = network(
      { 'a.example': publicHost, 'inside.example': ['169.254.169.254'] },
      { 'https://a.example/': redirect(location) },
    );
    expect(await failureOf(get('https://a.example/'))).toEqual(['refused', problem, false]);
    expect(called).toEqual(['https://a.example/']);
  });

  it('gives up on the sixth redirect', async () => {
    const called = network({ 'a.example': publicHost }, { 'https://a.example/': redirect('/') });
    expect(await failureOf(get('https://a.example/'))).toEqual(['too_many_redirects', undefined, false]);
    expect(called).toHaveLength(6);
  });

  it('hands the redirect itself over when none may be followed', async () => {
    network({ 'a.example': publicHost }, { 'https://a.example/': redirect('https://127.0.0.1/') });
    expect((await get('https://a.example/', 0)).response.status).toBe(302);
  });

  it('reads no more of an answer than asked for', async () => {
    let given = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        given += 1;
        controller.enqueue(new Uint8Array(1_000).fill(7));
      },
    });
    const bytes = await readAtMost(new Response(endless), 2_500);
    expect(bytes).toHaveLength(2_500);
    expect(given).toBeLessThan(10);
    expect(await readAtMost(new Response('short'), 100)).toHaveLength(5);
    expect(await readAtMost(new Response(null), 100)).toHaveLength(0);
  });
});
