import { z } from '@hono/zod-openapi';
import { usernameSchema } from '../users/index.ts';

export const changeUsernameBody = z.strictObject({ username: usernameSchema }).openapi('ChangeUsername');

export const deletionSchema = z
  .object({
    deletion_due_at: z.iso
      .datetime()
      .openapi({ description: 'Until then `POST /v1/auth/reactivate` cancels it.' }),
  })
  .openapi('AccountDeletion');
