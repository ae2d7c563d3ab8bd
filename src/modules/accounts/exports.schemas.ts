import { z } from '@hono/zod-openapi';
import { pageOf } from '../../http/pagination.ts';
import { idSchema } from '../../http/params.ts';

export const exportParams = z.strictObject({ export_id: idSchema('dataExport') });

export const exportSchema = z
  .object({
    id: z.string(),
    state: z.enum(['pending', 'running', 'ready', 'failed']),
    progress_percent: z.int(),
    requested_at: z.iso.datetime(),
    finished_at: z.iso.datetime().nullable(),
    expires_at: z.iso.datetime().nullable().openapi({ description: 'When the export is removed.' }),
    size_bytes: z.int().nullable(),
    failure: z.string().nullable().openapi({ description: 'Why it failed; null while it is still tried.' }),
    download: z
      .object({
        url: z.url().openapi({ description: 'Anybody who has it can read the export until then.' }),
        expires_at: z.iso.datetime(),
      })
      .nullable(),
  })
  .openapi('DataExport');

export const exportPage = pageOf(exportSchema).openapi('DataExportPage');

export const exportPositionSchema = z.strictObject({ id: z.uuid() });

export type DataExport = z.infer<typeof exportSchema>;
