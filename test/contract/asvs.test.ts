import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

const required = read('test/contract/data/asvs-5.0.0-l1-l2.txt').trim().split('\n');
const rows = read('docs/security/asvs.md')
  .split('\n')
  .flatMap((line) => {
    const cells = /^\| (\d+\.\d+\.\d+) \| ([12]) \| (.+?) \| (proven|n\/a|open) \| (.*) \|$/.exec(line);
    const [, id = '', level = '', , status = '', proof = ''] = cells ?? [];
    return cells === null ? [] : [{ id, level, status, proof }];
  });

const anchorsOf = (path: string): string[] =>
  [...read(path).matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, '')
      .replaceAll(' ', '-'),
  );

// Whatever stands in quotes: titles of `it.each` follow their tables. Comments do not count.
const titlesOf = (path: string): string[] =>
  [...read(path).matchAll(/(?:^|[\s(])(['"`])((?:(?!\1).)*)\1,/gm)].map(([, , title = '']) => title);

function problemWith(proof: string): string | undefined {
  const test = /^`(test\/[^`]+\.(?:test|suite)\.ts)` › (.+)$/.exec(proof);
  if (test !== null) {
    const [, path = '', title = ''] = test;
    if (!existsSync(join(root, path))) return `${path} is not there`;
    return titlesOf(path).some((known) => known.includes(title))
      ? undefined
      : `${path} has no test "${title}"`;
  }
  const [path = '', anchor = ''] = proof.split('#');
  if (!/^docs\/[\w/-]+\.md$/.test(path) || !existsSync(join(root, path)))
    return `"${proof}" is no proof: neither a test nor a paragraph`;
  return anchorsOf(path).includes(anchor) ? undefined : `${path} has no paragraph #${anchor}`;
}

it('names every requirement of levels 1 and 2 once, and no other', () => {
  expect(required.filter((line) => line.endsWith(' 1'))).toHaveLength(70);
  expect(required).toHaveLength(253);
  expect(rows.map(({ id, level }) => `${id} ${level}`)).toEqual(required);
});

it('names only proofs that are there', () => {
  const problems = rows
    .filter(({ status }) => status === 'proven')
    .flatMap(({ id, proof }) =>
      proof.split('<br>').flatMap((one) => {
        const problem = problemWith(one);
        return problem === undefined ? [] : [`${id}: ${problem}`];
      }),
    );
  expect(problems).toEqual([]);
});

it('says why a requirement does not apply, and leaves none open', () => {
  for (const { id, status, proof } of rows)
    if (status !== 'proven') expect(proof.length, id).toBeGreaterThan(10);
  expect(rows.filter(({ status }) => status === 'open')).toEqual([]);
});
