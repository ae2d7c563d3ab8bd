import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { contentTypeOf } from '../../../local-cloud/cdn/content-types.ts';
import type { FolderStore } from '../mediaconvert/harness.ts';

const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const packages = '../../../node_modules';
const SCRIPTS: Readonly<Record<string, string>> = {
  '/hls.js': file(`${packages}/hls.js/dist/hls.min.js`),
  // Its package offers an entry for bundlers only.
  '/dash.js': file(`${packages}/dashjs/dist/modern/umd/dash.all.min.js`),
  '/player.js': file('./player.js'),
};

const PAGE = `<!doctype html><meta charset="utf-8"><title>Cinema</title><video muted></video>
<script src="/hls.js"></script><script src="/dash.js"></script><script src="/player.js"></script>`;

/** What a film looked like while it was played. Sizes are `<width>x<height>`. */
export type Watched = {
  firstFrameMs: number;
  first: string;
  last: string;
  seconds: number;
  texts: string[];
};

/** A page with both players, and a bucket beside it whose objects have the media types that the local CDN gives them. */
export async function openCinema(
  store: FolderStore,
  bucket: string,
): Promise<{ url: string; close(): void }> {
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname);
    const script = SCRIPTS[path];
    if (path === '/') {
      response.setHeader('content-type', 'text/html').end(PAGE);
    } else if (script !== undefined) {
      response.setHeader('content-type', 'text/javascript').end(readFileSync(script));
    } else if (existsSync(store.path(bucket, path.slice(1)))) {
      response.setHeader('content-type', contentTypeOf(path) ?? 'application/octet-stream');
      createReadStream(store.path(bucket, path.slice(1))).pipe(response);
    } else {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
