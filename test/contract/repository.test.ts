import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { configurationReference } from '../../scripts/config-docs.ts';
import { sections } from '../../src/config/index.ts';

const root = join(import.meta.dirname, '..', '..');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  optionalDependencies: Record<string, string>;
  scripts: Record<string, string>;
  allowScripts: Record<string, boolean>;
};

it('pins every dependency to an exact version', () => {
  const all = { ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies };
  const loose = Object.entries(all).filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version));
  expect(loose).toEqual([]);
});

it('names every package with install scripts as allowed or refused', () => {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { hasInstallScript?: boolean }>;
  };
  const withScripts = Object.entries(lock.packages)
    .filter(([path, entry]) => path !== '' && entry.hasInstallScript === true)
    .map(([path]) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length));
  expect([...new Set(withScripts)].filter((name) => manifest.allowScripts[name] === undefined)).toEqual([]);
});

it('records no download address in the lock file', () => {
  expect(readFileSync(join(root, 'package-lock.json'), 'utf8')).not.toMatch(/"resolved":/);
});

it('has the commands the README promises', () => {
  for (const name of [
    'start',
    'demo',
    'test',
    'build',
    'db:migrate',
    'db:rollback',
    'db:seed',
    'openapi',
    'bench',
  ])
    expect(manifest.scripts, name).toHaveProperty([name]);
});

it('has no setting that no code reads', () => {
  const sources = ['src', 'durable-objects']
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) =>
        join(root, folder, file),
      ),
    )
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.config.ts'))
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n');
  const keys = Object.values(sections).flatMap((section) => Object.keys(section.settings));
  expect(keys.filter((key) => !new RegExp(`\\b${key}\\b`).test(sources))).toEqual([]);
});

it('documents every setting, and only settings that exist', () => {
  expect(readFileSync(join(root, 'docs', 'generated', 'configuration.md'), 'utf8')).toBe(
    configurationReference(),
  );
});
