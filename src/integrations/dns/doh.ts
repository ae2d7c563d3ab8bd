import { z } from 'zod';
import type { Config } from '../../config/index.ts';

// https://developers.cloudflare.com/1.1.1.1/encryption/dns-over-https/make-api-requests/dns-json/
const answerSchema = z.object({
  Status: z.int(),
  Answer: z
    .array(z.object({ type: z.int(), data: z.string().max(1_024) }))
    .max(200)
    .optional(),
});

const recordTypes = { A: 1, AAAA: 28 } as const;
const noError = 0;
const noSuchName = 3;
const maxAnswerBytes = 65_536;

/** The resolver did not answer, so nothing is known about the name. */
export class ResolverUnavailable extends Error {
  constructor(options?: ErrorOptions) {
    super('the resolver did not answer', options);
    this.name = 'ResolverUnavailable';
  }
}

/**
 * Every IPv4 and IPv6 address of a name; none when there is no such name.
 * @throws ResolverUnavailable
 */
export async function resolveAddresses(config: Config['outbound'], name: string): Promise<string[]> {
  const found = await Promise.all([ask(config, name, 'A'), ask(config, name, 'AAAA')]);
  return found.flat();
}

async function ask(
  config: Config['outbound'],
  name: string,
  type: keyof typeof recordTypes,
): Promise<string[]> {
  try {
    const response = await fetch(`${config.dohUrl}?name=${encodeURIComponent(name)}&type=${type}`, {
      headers: { accept: 'application/dns-json' },
      redirect: 'manual',
      signal: AbortSignal.timeout(config.dohTimeoutMs),
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new ResolverUnavailable();
    }
    const text = await response.text();
    if (text.length > maxAnswerBytes) throw new ResolverUnavailable();
    const { Status, Answer = [] } = answerSchema.parse(JSON.parse(text));
    if (Status === noSuchName) return [];
    if (Status !== noError) throw new ResolverUnavailable();
    return Answer.filter((record) => record.type === recordTypes[type]).map((record) => record.data);
  } catch (cause) {
    throw cause instanceof ResolverUnavailable ? cause : new ResolverUnavailable({ cause });
  }
}
