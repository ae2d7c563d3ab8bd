import type { RequestContext } from '../../../context.ts';
import { deleteObjects } from '../../../integrations/aws/index.ts';
import { eraseEmoteRows, listEmotesToErase } from '../emotes.repository.ts';
import { shownKey, sizesOf, waitingKey } from '../policy/pictures.ts';

const emotesAtOnce = 100;

/**
 * Erases emotes of an owner for good, pictures first. May be repeated at any point.
 * @returns whether none is left.
 * @throws AwsError when S3 did not answer.
 */
export async function eraseEmotes(ctx: RequestContext, ownerId: string): Promise<boolean> {
  const { aws } = ctx.config;
  const emotes = await listEmotesToErase(ctx.databases.primary, ownerId, emotesAtOnce);
  const keysBy = (keyOf: typeof shownKey): string[] =>
    emotes.flatMap(({ id, format }) => sizesOf(format).map((size) => keyOf(id, format, size)));
  await deleteObjects(aws, aws.mediaBucket, keysBy(shownKey));
  await deleteObjects(aws, aws.uploadsBucket, keysBy(waitingKey));
  if (emotes.length > 0)
    await eraseEmoteRows(
      ctx.databases.primary,
      ownerId,
      emotes.map(({ id }) => id),
    );
  return emotes.length < emotesAtOnce;
}
