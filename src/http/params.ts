import { z } from '@hono/zod-openapi';
import { decodeId, encodeId, type IdKind, idPrefixes } from '../shared/ids.ts';

const example = '01964d2e-6d30-7c3a-8d2f-5a1b3c4d5e6f';

/** A public id in a path or body, parsed to the bare UUID. In a path a wrong prefix ends as 404, in a body as 422. */
export const idSchema = (kind: IdKind) =>
  z
    .string()
    .max(40)
    .transform((id, context) => {
      const uuid = decodeId(kind, id);
      if (uuid !== undefined) return uuid;
      context.addIssue({ code: 'custom', message: `must be an id that starts with ${idPrefixes[kind]}_` });
      return z.NEVER;
    })
    .openapi({ type: 'string', example: encodeId(kind, example) });
