import { z } from 'zod';
import { invalid } from '../errors.ts';
import type { PageInput } from './schemas.ts';

type Listed = { readonly arn: string; readonly createdAtMs: number };

const token = z.tuple([z.number(), z.string()]);

/** One page, oldest first. The token is a place in that order, so that it outlives the item it was made from. */
export function pageOf<T extends Listed>(
  items: readonly T[],
  { nextToken, maxResults = 50 }: PageInput,
): { page: T[]; nextToken?: string } {
  const after = nextToken ? decode(nextToken) : undefined;
  const rest = [...items].sort(inOrder).filter((item) => after === undefined || inOrder(item, after) > 0);
  const page = rest.slice(0, maxResults);
  const last = page.at(-1);
  return last !== undefined && rest.length > page.length
    ? { page, nextToken: Buffer.from(JSON.stringify([last.createdAtMs, last.arn])).toString('base64url') }
    : { page };
}

function inOrder(left: Listed, right: Listed): number {
  return left.createdAtMs - right.createdAtMs || (left.arn < right.arn ? -1 : left.arn > right.arn ? 1 : 0);
}

function decode(text: string): Listed {
  try {
    const [createdAtMs, arn] = token.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
    return { createdAtMs, arn };
  } catch {
    throw invalid('nextToken: is not a token of this listing');
  }
}
