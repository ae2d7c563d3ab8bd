import { join } from 'node:path';
import { unstable_readConfig } from 'wrangler';
import { type CapnpValue, capnpText, Embed } from './capnp.ts';
import { edgeLimitExtension, standInServices } from './stand-ins.ts';

/** The parts of wrangler's configuration that become workerd's. */
interface WranglerConfig {
  readonly compatibility_date: string;
  readonly compatibility_flags: readonly string[];
  readonly durable_objects: {
    readonly bindings: readonly { readonly name: string; readonly class_name: string }[];
  };
  readonly queues: { readonly producers?: readonly { readonly binding: string }[] };
  readonly kv_namespaces: readonly { readonly binding: string }[];
  readonly ratelimits: readonly { readonly name: string }[];
  readonly assets?: { readonly binding?: string };
}

// workerd refuses flags its compatibility date already implies (nodejs_compat since 2026-08-04); wrangler drops them too.
const impliedFlags = new Set(['nodejs_compat']);

const read = (root: string): WranglerConfig =>
  unstable_readConfig({ config: join(root, 'wrangler.toml') }, { hideWarnings: true }) as WranglerConfig;

const file = (config: CapnpValue): string =>
  `using Workerd = import "/workerd/workerd.capnp";\nconst config :Workerd.Config = ${capnpText(config)};\n`;

const text = (settings: Readonly<Record<string, string>>): CapnpValue[] =>
  Object.entries(settings).map(([name, value]) => ({ name, text: value }));

/** Address of the one socket; the port is chosen by the system and told on the control descriptor. */
const socket = (service: string): CapnpValue => ({ name: 'http', address: '127.0.0.1:0', http: {}, service });

export interface AppConfigOptions {
  readonly root: string;
  /** The bundle, beside the configuration file. */
  readonly bundleFile: string;
  readonly settings: Readonly<Record<string, string>>;
  /** Where Durable Objects keep their databases; must exist. */
  readonly objectsDirectory: string;
}

/** workerd's configuration of our Worker, with every binding of wrangler.toml. */
export function appConfig(options: AppConfigOptions): string {
  const wrangler = read(options.root);
  const classes = [...new Set(wrangler.durable_objects.bindings.map(({ class_name }) => class_name))];
  const assets = wrangler.assets?.binding;
  const bindings: CapnpValue[] = [
    ...text(options.settings),
    ...wrangler.durable_objects.bindings.map(({ name, class_name }) => ({
      name,
      durableObjectNamespace: class_name,
    })),
    ...(wrangler.queues.producers ?? []).map(({ binding }) => ({ name: binding, queue: 'queue' })),
    ...wrangler.kv_namespaces.map(({ binding }) => ({ name: binding, kvNamespace: 'empty-kv' })),
    ...wrangler.ratelimits.map(({ name }) => ({ name, wrapped: { moduleName: 'bench:edge-limit' } })),
    ...(assets === undefined ? [] : [{ name: assets, service: 'assets' }]),
  ];
  return file({
    services: [
      {
        name: 'app',
        worker: {
          modules: [{ name: 'worker', esModule: new Embed(options.bundleFile) }],
          compatibilityDate: wrangler.compatibility_date,
          compatibilityFlags: wrangler.compatibility_flags.filter((flag) => !impliedFlags.has(flag)),
          bindings,
          durableObjectNamespaces: classes.map((className) => ({
            className,
            uniqueKey: `bench-${className}`,
            enableSql: true,
          })),
          durableObjectStorage: { localDisk: 'objects' },
          globalOutbound: 'network',
          cacheApiOutbound: 'empty-cache',
        },
      },
      { name: 'network', network: { allow: ['public', 'private'] } },
      { name: 'objects', disk: { path: options.objectsDirectory, writable: true } },
      { name: 'assets', disk: { path: join(options.root, 'dist', 'assets') } },
      ...standInServices(wrangler.compatibility_date),
    ],
    extensions: [edgeLimitExtension],
    sockets: [socket('app')],
  });
}

/** workerd's configuration of a Worker with one Durable Object class, of the same date as ours. */
export function objectConfig(options: {
  readonly root: string;
  readonly bundleFile: string;
  readonly binding: string;
  readonly className: string;
  readonly settings: Readonly<Record<string, string>>;
  /** Where Durable Objects keep their databases; must exist. */
  readonly objectsDirectory: string;
}): string {
  const { compatibility_date } = read(options.root);
  return file({
    services: [
      {
        name: 'peer',
        worker: {
          modules: [{ name: 'worker', esModule: new Embed(options.bundleFile) }],
          compatibilityDate: compatibility_date,
          bindings: [
            ...text(options.settings),
            { name: options.binding, durableObjectNamespace: options.className },
          ],
          durableObjectNamespaces: [
            { className: options.className, uniqueKey: `bench-${options.className}`, enableSql: true },
          ],
          durableObjectStorage: { localDisk: 'objects' },
        },
      },
      { name: 'objects', disk: { path: options.objectsDirectory, writable: true } },
    ],
    sockets: [socket('peer')],
  });
}

/** workerd's configuration of the bare Worker, which answers with these bodies. */
export function bareConfig(
  root: string,
  workerFile: string,
  bodies: Readonly<Record<string, string>>,
): string {
  const { compatibility_date } = read(root);
  return file({
    services: [
      {
        name: 'bare',
        worker: {
          modules: [{ name: 'worker', esModule: new Embed(workerFile) }],
          compatibilityDate: compatibility_date,
          bindings: text(bodies),
        },
      },
    ],
    sockets: [socket('bare')],
  });
}
