import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeId,
  encodeId,
  type IdKind,
  idPrefixes,
  randomIds,
  uuidFloor,
  uuidTime,
  uuidv7,
} from '../../../src/shared/ids.ts';

const kinds = Object.keys(idPrefixes) as IdKind[];
const uuid = fc.uuid({ version: 7 });

describe('public ids', () => {
  it('come back as the UUID they were made of', () => {
    fc.assert(
      fc.property(uuid, fc.constantFrom(...kinds), (id, kind) => {
        expect(decodeId(kind, encodeId(kind, id))).toBe(id);
      }),
    );
  });

  it('sort as their UUIDs do', () => {
    fc.assert(
      fc.property(uuid, uuid, (a, b) => {
        expect(encodeId('post', a) < encodeId('post', b)).toBe(a < b);
      }),
    );
  });

  it('of one kind name nothing of another', () => {
    const id = randomIds.next();
    for (const kind of kinds)
      for (const other of kinds)
        if (kind !== other) expect(decodeId(other, encodeId(kind, id))).toBeUndefined();
  });

  it('refuse anything that is not exactly one', () => {
    const valid = encodeId('video', randomIds.next());
    for (const id of [
      '',
      'vid_',
      valid.slice(0, -1),
      `${valid}0`,
      valid.toUpperCase(),
      valid.replace('_', '-'),
      `vid_${'z'.repeat(26)}`,
      `vid_${'u'.repeat(26)}`,
    ])
      expect(decodeId('video', id), id).toBeUndefined();
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 60 }),
        (text) => decodeId('video', text) === undefined,
      ),
    );
  });
});

describe('uuidv7', () => {
  it('carries its time and the version and variant of RFC 9562', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 ** 48 - 1 }),
        fc.uint8Array({ minLength: 10, maxLength: 10 }),
        (time, random) => {
          const id = uuidv7(time, random);
          expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
          expect(uuidTime(id)).toBe(time);
          expect(uuidFloor(time) <= id).toBe(true);
        },
      ),
    );
  });
});
