import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

interface Member {
  readonly shape: string;
  readonly locationName?: string;
}

interface Shape {
  readonly type: string;
  readonly members?: Readonly<Record<string, Member>>;
  readonly required?: readonly string[];
  readonly member?: Member;
  readonly key?: Member;
  readonly value?: Member;
  readonly enum?: readonly string[];
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: string;
}

/** AWS's own description of a service, from which botocore and the SDKs are made. */
export interface ServiceModel {
  readonly metadata: { readonly apiVersion: string };
  readonly shapes: Readonly<Record<string, Shape>>;
}

const inFolders = (): string[] => {
  const folders = [process.env.BOTOCORE_DATA, '/usr/lib/python3/dist-packages/botocore/data'];
  try {
    const script = 'import botocore, os; print(os.path.join(os.path.dirname(botocore.__file__), "data"))';
    folders.unshift(execFileSync('python3', ['-c', script], { encoding: 'utf8', stdio: 'pipe' }).trim());
  } catch {
    // No Python, or no botocore in it.
  }
  return folders.filter((folder): folder is string => folder !== undefined && folder !== '');
};

/** The model of a service as botocore has it on this machine (Debian: `python3-botocore`); undefined without one. */
export function findServiceModel(service: string, version: string): ServiceModel | undefined {
  for (const folder of inFolders()) {
    const path = join(folder, service, version, 'service-2.json');
    if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8')) as ServiceModel;
    if (existsSync(`${path}.gz`))
      return JSON.parse(gunzipSync(readFileSync(`${path}.gz`)).toString()) as ServiceModel;
  }
  return undefined;
}

// The names of numbers' shapes state ranges the model has no other words for: `__doubleMinNegative59Max0`.
const rangeInName = /Min(Negative)?(\d+)Max(Negative)?(\d+)/;

const boundsOf = (name: string, shape: Shape): { min: number; max: number } => {
  const [, minSign, min, maxSign, max] = rangeInName.exec(name) ?? [];
  const stated = (sign: string | undefined, digits: string | undefined, otherwise: number): number =>
    digits === undefined ? otherwise : Number(digits) * (sign === undefined ? 1 : -1);
  return {
    min: shape.min ?? stated(minSign, min, Number.NEGATIVE_INFINITY),
    max: shape.max ?? stated(maxSign, max, Number.POSITIVE_INFINITY),
  };
};

/** What is wrong with a value that goes over the wire as `shapeName`, one sentence each; empty when nothing is. */
export function problemsOf(model: ServiceModel, shapeName: string, value: unknown, path = ''): string[] {
  const shape = model.shapes[shapeName];
  if (shape === undefined) return [`${path}: the model has no shape ${shapeName}`];
  const wrongType = [`${path}: ${JSON.stringify(value)} is no ${shape.type}`];
  const { min, max } = boundsOf(shapeName, shape);
  const outside = (size: number): string[] =>
    size < min || size > max ? [`${path}: ${size} is not within ${min} and ${max}`] : [];
  switch (shape.type) {
    case 'structure':
      return isObject(value) ? structureProblems(model, shape, value, path) : wrongType;
    case 'list':
      return Array.isArray(value)
        ? [
            ...outside(value.length),
            ...value.flatMap((item, index) =>
              problemsOf(model, shape.member?.shape ?? '', item, `${path}/${index}`),
            ),
          ]
        : wrongType;
    case 'map':
      return isObject(value)
        ? Object.entries(value).flatMap(([key, item]) => [
            ...problemsOf(model, shape.key?.shape ?? '', key, `${path}/${key} (key)`),
            ...problemsOf(model, shape.value?.shape ?? '', item, `${path}/${key}`),
          ])
        : wrongType;
    case 'string': {
      if (typeof value !== 'string') return wrongType;
      if (shape.enum !== undefined)
        return shape.enum.includes(value) ? [] : [`${path}: ${value} is none of ${shape.enum.join(', ')}`];
      const matches = shape.pattern === undefined || new RegExp(shape.pattern).test(value);
      return [
        ...outside(value.length),
        ...(matches ? [] : [`${path}: ${value} does not match ${shape.pattern}`]),
      ];
    }
    case 'integer':
    case 'long':
      return Number.isInteger(value) ? outside(value as number) : wrongType;
    case 'double':
    case 'float':
      return typeof value === 'number' && Number.isFinite(value) ? outside(value) : wrongType;
    case 'boolean':
      return typeof value === 'boolean' ? [] : wrongType;
    default:
      return [`${path}: nobody checks a ${shape.type} yet`];
  }
}

function structureProblems(
  model: ServiceModel,
  shape: Shape,
  value: Readonly<Record<string, unknown>>,
  path: string,
): string[] {
  const byWireName = new Map(
    Object.entries(shape.members ?? {}).map(([name, member]) => [
      member.locationName ?? name,
      { name, member },
    ]),
  );
  const missing = (shape.required ?? []).filter(
    (name) => value[shape.members?.[name]?.locationName ?? name] === undefined,
  );
  return [
    ...missing.map((name) => `${path}/${name}: is required`),
    ...Object.entries(value).flatMap(([name, member]) => {
      const known = byWireName.get(name);
      if (known === undefined) return [`${path}/${name}: the model has no such member`];
      return member === undefined ? [] : problemsOf(model, known.member.shape, member, `${path}/${name}`);
    }),
  ];
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
