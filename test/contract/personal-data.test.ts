import { getTableName, is } from 'drizzle-orm';
import { getTableConfig, PgTable } from 'drizzle-orm/pg-core';
import { describe, expect, it } from 'vitest';

// By address, since the Worker's sources are type-checked against workerd's types and this test against Node's.
const load = (path: string): Promise<unknown> => import(new URL(`../../src/${path}`, import.meta.url).href);

interface Section {
  readonly opened?: { readonly column: string };
  readonly file: string;
  readonly by: string;
  readonly key: string;
  readonly columns: readonly string[];
}

interface Entry {
  readonly table: string;
  readonly userColumns: readonly string[];
  readonly exported: readonly Section[];
  readonly withheld: Readonly<Record<string, string>>;
  readonly erased: {
    readonly kind: string;
    readonly columns?: readonly string[];
    readonly from?: string;
    readonly step?: string;
    readonly reason?: string;
  };
}

interface Policy {
  readonly personalTables: readonly Entry[];
  readonly impersonalTables: Readonly<Record<string, string>>;
  readonly erasureSteps: readonly string[];
}

const { personalTables, impersonalTables, erasureSteps } = (await load(
  'modules/accounts/personal-data.policy.ts',
)) as Policy;
const schema = (await load('db/schema.ts')) as Record<string, unknown>;
const where = 'src/modules/accounts/personal-data.policy.ts';

const tables = Object.values(schema)
  .filter((value) => is(value, PgTable))
  .map((table) => {
    const { columns, foreignKeys } = getTableConfig(table);
    const references = foreignKeys.map((key) => {
      const { columns: own, foreignTable } = key.reference();
      return { columns: own.map(({ name }) => name), to: getTableName(foreignTable), onDelete: key.onDelete };
    });
    return { name: getTableName(table), columns: columns.map(({ name }) => name), references };
  });

// What a column is called that says whose a row is, also where no foreign key can say so.
const namesUser =
  /^(user|owner|author|actor|account|member|sender|recipient|reporter|reviewer|moderator|creator|viewer|subject|subscriber|follower|followee|blocker|blocked|inviter|invitee)_id$|_user_id$|_by$/;

const userColumnsOf = ({ columns, references }: (typeof tables)[number]) =>
  new Set([
    ...columns.filter((column) => namesUser.test(column)),
    ...references.filter(({ to }) => to === 'users').flatMap((reference) => reference.columns),
  ]);

describe('the list of personal data', () => {
  it.each(tables.map((table) => [table.name, table] as const))(
    'knows %s and every column of it',
    (name, table) => {
      const userColumns = [...userColumnsOf(table)].sort();
      const entry = personalTables.find((candidate) => candidate.table === name);
      if (entry === undefined) {
        expect(
          impersonalTables[name],
          `${name} is new: add an entry to personalTables in ${where} that says what an export shows of it and how it is erased` +
            (userColumns.length === 0 ? ', or to impersonalTables with the reason it needs neither' : ''),
        ).toBeTruthy();
        expect(
          userColumns,
          `${name} names users in ${userColumns.join(', ')}: it belongs into personalTables in ${where}`,
        ).toEqual([]);
        return;
      }
      expect(
        userColumns.filter((column) => !entry.userColumns.includes(column)),
        `${name} names users in columns that are not in its userColumns in ${where}: list them there, and see to their rows in "erased"`,
      ).toEqual([]);
      if (entry.withheld['*'] !== undefined) {
        expect(entry.exported, `${name} is withheld as a whole and exported, too`).toEqual([]);
        return;
      }
      const told = new Set([
        ...entry.exported.flatMap(({ columns }) => columns),
        ...Object.keys(entry.withheld),
      ]);
      expect(
        table.columns.filter((column) => !told.has(column)),
        `columns of ${name} that ${where} does not know: list each in "columns" of a section, or in "withheld" with the reason`,
      ).toEqual([]);
      const used = [
        ...told,
        ...entry.userColumns,
        ...entry.exported.flatMap(({ by, key }) => [by, key]),
        ...(entry.erased.columns ?? []),
      ];
      expect(
        used.filter((column) => !table.columns.includes(column)),
        `columns of ${name} in ${where} that the table does not have`,
      ).toEqual([]);
    },
  );

  it('lists no table that is gone, none twice, and no file twice', () => {
    const names = [...personalTables.map(({ table }) => table), ...Object.keys(impersonalTables)];
    expect(names.filter((name) => !tables.some((table) => table.name === name))).toEqual([]);
    expect(new Set(names).size).toBe(names.length);
    const files = personalTables.flatMap(({ exported }) => exported.map(({ file }) => file));
    expect(new Set(files).size).toBe(files.length);
  });

  it('says of every table how it is erased, in a way that works', () => {
    for (const { table, userColumns, erased } of personalTables) {
      if (erased.kind === 'rows')
        for (const column of erased.columns ?? []) expect(userColumns, table).toContain(column);
      if (erased.kind === 'step') expect(erasureSteps, table).toContain(erased.step);
      if (erased.kind === 'kept') expect(erased.reason, table).toBeTruthy();
      if (erased.kind === 'cascade') {
        const key = tables
          .find(({ name }) => name === table)
          ?.references.find(({ to }) => to === erased.from);
        expect(key?.onDelete, `${table} is not deleted with ${erased.from}`).toBe('cascade');
      }
    }
  });

  it('exports no digest, seal or key', () => {
    // What is opened for the export is read in clear, and its sealed form stays out.
    for (const { table, exported } of personalTables)
      for (const { columns, opened } of exported)
        for (const column of columns.filter((name) => name !== opened?.column))
          expect(column, table).not.toMatch(
            /hash|sealed|secret|blob|password|token|salt|public_key|source_key/,
          );
  });
});
