import type { RequestContext } from '../../../context.ts';
import { open, type Place, seal } from '../../../shared/crypto/envelope.ts';
import { fromHex, fromUtf8, hex, utf8 } from '../../../shared/encoding.ts';
import type { SealedSecrets } from '../endpoints.repository.ts';

type KeyContext = Pick<RequestContext, 'config'>;

const placeOf = (endpointId: string): Place => ({
  table: 'webhook_endpoints',
  column: 'sealed_secret',
  rowId: endpointId,
});

/** In hex. */
export const sealSecret = async (ctx: KeyContext, endpointId: string, secret: string): Promise<string> =>
  hex(await seal(ctx.config.encryption, utf8(secret), placeOf(endpointId)));

/**
 * The secrets that sign for an endpoint, the newest first.
 * @throws Error when one cannot be opened: its key is gone, or somebody moved it.
 */
export async function openSecrets(
  ctx: KeyContext,
  endpointId: string,
  { sealedSecret, sealedOldSecret }: SealedSecrets,
): Promise<string[]> {
  const sealed = sealedOldSecret === null ? [sealedSecret] : [sealedSecret, sealedOldSecret];
  return Promise.all(
    sealed.map(async (value) => {
      const secret = await open(ctx.config.encryption, fromHex(value), placeOf(endpointId));
      if (secret === undefined) throw new Error('the secret of a webhook endpoint cannot be opened');
      return fromUtf8(secret);
    }),
  );
}
