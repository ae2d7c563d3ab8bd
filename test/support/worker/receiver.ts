import { vi } from 'vitest';

/** A request a receiver of webhooks got. */
export interface Received {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export type Answering = (received: Received, signal: AbortSignal) => Promise<Response> | Response;

export interface Receiver {
  readonly received: Received[];
  /** What is answered from now on. */
  answer(answering: Answering): void;
  /** Addresses names lead to from now on, by host; all others lead to a public one. */
  resolve(host: string, addresses: readonly string[]): void;
  restore(): void;
}

const suffix = '.hooks.example.com';
const publicAddress = '93.184.216.34';

/** An address of a receiver nobody else uses. */
export const hookUrl = (path = '/in'): string => `https://r${crypto.randomUUID()}${suffix}${path}`;

/**
 * Plays the receivers under `hooks.example.com` and the resolver that finds them, for the Worker in this isolate. Everything
 * else is called as ever.
 */
export function startReceiver(): Receiver {
  const real = globalThis.fetch;
  const received: Received[] = [];
  const names = new Map<string, readonly string[]>();
  let answering: Answering = () => new Response('ok');
  const spy = vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
    const address = input instanceof Request ? input.url : String(input);
    if (address.startsWith('https://cloudflare-dns.com/dns-query?')) return resolved(names, new URL(address));
    if (!new URL(address).hostname.endsWith(suffix)) return real(input, init);
    const request = new Request(address, init as RequestInit);
    const seen = { url: address, headers: Object.fromEntries(request.headers), body: await request.text() };
    received.push(seen);
    return answering(seen, init?.signal ?? new AbortController().signal);
  });
  return {
    received,
    answer: (next) => {
      answering = next;
    },
    resolve: (host, addresses) => names.set(host, addresses),
    restore: () => spy.mockRestore(),
  };
}

function resolved(names: ReadonlyMap<string, readonly string[]>, url: URL): Response {
  const name = url.searchParams.get('name') ?? '';
  const wanted = url.searchParams.get('type') === 'AAAA' ? 28 : 1;
  const addresses = names.get(name) ?? (name.endsWith(suffix) ? [publicAddress] : []);
  const answers = addresses
    .map((data) => ({ name, type: data.includes(':') ? 28 : 1, TTL: 60, data }))
    .filter(({ type }) => type === wanted);
  return Response.json(addresses.length === 0 ? { Status: 3 } : { Status: 0, Answer: answers }, {
    headers: { 'content-type': 'application/dns-json' },
  });
}

/** Answers only when the caller has lost patience. */
export const neverAnswer: Answering = (_, signal) =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason));
  });
