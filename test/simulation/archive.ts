import type { ArchiveFlush, ArchiveResult } from '../../durable-objects/chat-room/archive-flush.ts';
import type { Fate } from './platform.ts';

interface Kept {
  readonly seq: number;
  readonly id: string;
  readonly authorId: string | null;
  isGone: boolean;
}

/** What the database keeps of a room, by the rules of its statements. */
export class ArchiveModel {
  readonly rows = new Map<number, Kept>();

  take(flush: ArchiveFlush, fate: Fate): ArchiveResult {
    if (fate === 'gets lost') throw new Error('lost on the way');
    for (let time = 0; time < (fate === 'comes twice' ? 2 : 1); time += 1) this.#apply(flush);
    if (fate === 'answer gets lost') throw new Error('lost on the way back');
    return { known: true, more: false };
  }

  #apply({ rows, redactions }: ArchiveFlush): void {
    for (const { seq, id, authorId, kind, isDeleted } of rows)
      if (kind === 'message' && !this.rows.has(seq))
        this.rows.set(seq, { seq, id, authorId, isGone: isDeleted });
    for (const { seq, messageId, authorId, isAll } of redactions)
      for (const row of this.rows.values())
        if (
          row.seq < seq &&
          (isAll || row.id === messageId || (authorId !== null && row.authorId === authorId))
        )
          row.isGone = true;
  }
}
