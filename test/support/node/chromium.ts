import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Path of a Chromium on this machine, undefined when there is none. */
export const chromiumPath = [
  process.env.CHROMIUM_PATH ?? '',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
].find((path) => path !== '' && existsSync(path));

/** One page of a headless Chromium, driven by the DevTools protocol (https://chromedevtools.github.io/devtools-protocol/). */
export interface BrowserPage {
  /** Opens an address and waits until the page is loaded. */
  open(url: string): Promise<void>;
  /** One command of the protocol. */
  send(method: string, params?: unknown): Promise<Record<string, unknown>>;
  /** Value of an expression in the page; promises are waited for. */
  evaluate(expression: string): Promise<unknown>;
  /** The same in a frame of another site that stands in the page, once it is there. */
  frame(url: string): Promise<(expression: string) => Promise<unknown>>;
  close(): Promise<void>;
}

/** Starts Chromium with a profile of its own. `args` come after the ones that every test needs. */
export async function openBrowser(args: readonly string[] = []): Promise<BrowserPage> {
  const profile = await mkdtemp(join(tmpdir(), 'social-flow-chromium-'));
  const chromium = spawn(
    chromiumPath ?? '',
    [
      ...['--headless=new', '--no-sandbox', '--disable-gpu', '--remote-debugging-port=0'],
      `--user-data-dir=${profile}`,
      ...args,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const address = await new Promise<string>((resolve, reject) => {
    chromium.on('error', reject);
    chromium.on('exit', (code) => reject(new Error(`chromium ended with ${code}`)));
    createInterface({ input: chromium.stderr }).on('line', (line) => {
      const found = /DevTools listening on (ws:\S+)/.exec(line)?.[1];
      if (found !== undefined) resolve(found);
    });
  });
  const devTools = await connect(address);
  const { targetId } = await devTools.send('Target.createTarget', { url: 'about:blank' });
  const { sessionId } = await devTools.send('Target.attachToTarget', { targetId, flatten: true });
  const session = String(sessionId);

  const evaluateIn = async (inSession: string, expression: string): Promise<unknown> => {
    const answer = (await devTools.send(
      'Runtime.evaluate',
      { expression, awaitPromise: true, returnByValue: true },
      inSession,
    )) as { result: { value?: unknown }; exceptionDetails?: { exception?: { description?: string } } };
    if (answer.exceptionDetails !== undefined)
      throw new Error(answer.exceptionDetails.exception?.description ?? 'failed in the page');
    return answer.result.value;
  };
  const evaluate = (expression: string): Promise<unknown> => evaluateIn(session, expression);

  return {
    send: (method, params) => devTools.send(method, params, session),
    evaluate,
    async frame(url) {
      for (;;) {
        const { targetInfos } = (await devTools.send('Target.getTargets')) as {
          targetInfos?: { targetId: string; type: string; url: string }[];
        };
        const found = targetInfos?.find((target) => target.type === 'iframe' && target.url === url);
        if (found !== undefined) {
          const { targetId } = found;
          const attached = await devTools.send('Target.attachToTarget', { targetId, flatten: true });
          return (expression) => evaluateIn(String(attached.sessionId), expression);
        }
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
    },
    async open(url) {
      await devTools.send('Page.navigate', { url }, session);
      const loaded = `location.href === ${JSON.stringify(url)} && document.readyState === 'complete'`;
      while ((await evaluate(loaded)) !== true) await new Promise((resolve) => setTimeout(resolve, 25));
    },
    async close() {
      devTools.close();
      if (chromium.exitCode === null) {
        const ended = new Promise((resolve) => chromium.on('exit', resolve));
        chromium.kill('SIGKILL');
        await ended;
      }
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

type Answer = Record<string, unknown>;

async function connect(address: string) {
  const socket = new WebSocket(address);
  const waiting = new Map<number, { resolve: (value: Answer) => void; reject: (error: Error) => void }>();
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(String(data));
    const call = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.error === undefined) call?.resolve(message.result);
    else call?.reject(new Error(message.error.message));
  });
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve);
    socket.addEventListener('error', reject);
  });
  let lastId = 0;
  return {
    send: (method: string, params: unknown = {}, sessionId?: string): Promise<Answer> =>
      new Promise((resolve, reject) => {
        lastId += 1;
        waiting.set(lastId, { resolve, reject });
        socket.send(JSON.stringify({ id: lastId, method, params, sessionId }));
      }),
    close: () => socket.close(),
  };
}
