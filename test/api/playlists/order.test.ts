import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { decodeId } from '../../../src/shared/ids.ts';
import { call, callJson, seedUser, sqlRows, type TestUser } from '../../support/worker/client.ts';
import { film } from '../comments/actions.ts';
import { add, type ItemBody, itemsOf, move, playlist, remove } from './actions.ts';

let videos: string[];
beforeAll(async () => {
  const owner = await seedUser();
  videos = await Promise.all(Array.from({ length: 4 }, () => film(owner)));
});

const ids = (items: readonly ItemBody[]): string[] => items.map(({ id }) => id);

/** Puts `id` right after `after`, or to the front. */
function place(list: readonly string[], id: string, after: string | null): string[] {
  const rest = list.filter((each) => each !== id);
  const index = after === null ? 0 : rest.indexOf(after) + 1;
  return [...rest.slice(0, index), id, ...rest.slice(index)];
}

describe('the order of a playlist', () => {
  it('is that of a plain list, whatever is put in, moved and taken out', async () => {
    const step = fc.record({
      kind: fc.constantFrom('append', 'front', 'insert', 'move', 'move to front', 'remove'),
      which: fc.nat({ max: 30 }),
      after: fc.nat({ max: 30 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 16 }), async (steps) => {
        const owner: TestUser = await seedUser();
        const list = await playlist(owner, { allow_duplicates: true });
        let model: string[] = [];
        for (const { kind, which, after } of steps) {
          const video = videos[which % videos.length] as string;
          const moved = model[which % Math.max(1, model.length)];
          const anchor = model[after % Math.max(1, model.length)];
          if (kind === 'append') model = [...model, (await add(owner, list, video)).id];
          else if (kind === 'front') model = [(await add(owner, list, video, null)).id, ...model];
          else if (kind === 'insert' && anchor !== undefined)
            model = place(model, (await add(owner, list, video, anchor)).id, anchor);
          else if (kind === 'move' && moved !== undefined && anchor !== undefined && moved !== anchor) {
            await move(owner, moved, anchor);
            model = place(model, moved, anchor);
          } else if (kind === 'move to front' && moved !== undefined) {
            await move(owner, moved, null);
            model = place(model, moved, null);
          } else if (kind === 'remove' && moved !== undefined) {
            await remove(owner, moved);
            model = model.filter((each) => each !== moved);
          }
        }
        expect(ids(await itemsOf(list, owner))).toEqual(model);
        expect(ids(await itemsOf(list, owner, 3))).toEqual(model);
      }),
      { numRuns: 12 },
    );
  }, 240_000);

  it('holds when one place is filled again and again, and readers keep theirs while the list is numbered anew', async () => {
    const owner = await seedUser();
    const list = await playlist(owner, { allow_duplicates: true });
    const [first, last] = [
      await add(owner, list, videos[0] as string),
      await add(owner, list, videos[1] as string),
    ];
    let model = [first.id, last.id];
    const page = await callJson<{ next_cursor: string }>(
      200,
      'GET',
      `/v1/playlists/${list.id}/items?limit=1`,
      {
        token: owner.token,
      },
    );
    for (let count = 0; count < 45; count += 1) {
      // Away from the limit of writes by account.
      const { id } = await add({ ...owner }, list, videos[2] as string, first.id);
      model = place(model, id, first.id);
    }
    expect(ids(await itemsOf(list, owner))).toEqual(model);
    const [row] = await sqlRows<{ numbering: number }>('SELECT numbering FROM playlists WHERE id = $1', [
      decodeId('playlist', list.id),
    ]);
    expect(row?.numbering).toBeGreaterThan(0);
    const rest = await callJson<{ data: ItemBody[] }>(
      200,
      'GET',
      `/v1/playlists/${list.id}/items?limit=100&cursor=${page.next_cursor}`,
      { token: owner.token },
    );
    expect(ids(rest.data)).toEqual(model.slice(1));
  }, 120_000);

  it('loses and doubles nothing when many move things at once', async () => {
    const owner = await seedUser();
    const list = await playlist(owner, { allow_duplicates: true });
    const made: string[] = [];
    for (let count = 0; count < 8; count += 1) made.push((await add(owner, list, videos[0] as string)).id);
    const moves = made.flatMap((id, index) => [
      { id, after: made[(index + 3) % made.length] as string },
      { id, after: null },
      { id, after: made[(index + 5) % made.length] as string },
    ]);
    const answers = await Promise.all(
      moves.map(({ id, after }) =>
        call('PATCH', `/v1/playlist-items/${id}`, { token: owner.token, body: { after_item_id: after } }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(ids(await itemsOf(list, owner)).toSorted()).toEqual(made.toSorted());
    const clashes = await sqlRows(
      'SELECT rank FROM playlist_items WHERE owner_id = $1 GROUP BY rank HAVING count(*) > 1',
      [owner.uuid],
    );
    expect(clashes).toEqual([]);
    await move(owner, made[7] as string, made[0] as string);
    const order = ids(await itemsOf(list, owner));
    expect(order.indexOf(made[7] as string)).toBe(order.indexOf(made[0] as string) + 1);
  }, 60_000);
});
