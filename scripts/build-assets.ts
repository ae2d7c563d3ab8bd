import { copyFileSync, cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

// Builds dist/assets: the API reference page with Swagger UI from its npm package, so that /docs loads nothing from a CDN.
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const player = join(root, 'dist', 'assets', 'player');

// And the scripts of the player page /embed.
mkdirSync(player, { recursive: true });
copyFileSync(
  join(dirname(createRequire(import.meta.url).resolve('hls.js')), 'hls.min.js'),
  join(player, 'hls.js'),
);
cpSync(join(root, 'clients', 'player'), player, { recursive: true });

const source = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
const target = join(root, 'dist', 'assets', 'docs');

mkdirSync(target, { recursive: true });
for (const file of ['swagger-ui-bundle.js', 'swagger-ui.css'])
  copyFileSync(join(source, file), join(target, file));
writeFileSync(
  join(target, 'start.js'),
  "window.ui = SwaggerUIBundle({ url: '/openapi.json', dom_id: '#reference', deepLinking: true, persistAuthorization: false });\n",
);
writeFileSync(
  join(target, 'index.html'),
  `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Social Flow API</title>
    <link rel="stylesheet" href="/docs/swagger-ui.css" />
  </head>
  <body>
    <main id="reference"></main>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`,
);
