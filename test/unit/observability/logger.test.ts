import { expect, it } from 'vitest';
import { createLogger } from '../../../src/observability/logger.ts';

const capture = (minimum: 'debug' | 'info' | 'warn' | 'error' | 'silent' = 'debug') => {
  const lines: string[] = [];
  return { lines, log: createLogger(minimum, { release: 'r1' }, (line) => lines.push(line)) };
};

it('writes one JSON object a line with what it was told and knows', () => {
  const { lines, log } = capture();
  log.with({ request_id: 'req-1' }).log('info', 'request.completed', { status: 200, count: 3n });
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    level: 'info',
    event: 'request.completed',
    release: 'r1',
    request_id: 'req-1',
    status: 200,
    count: '3',
  });
});

it('drops every field that is not on the list, so that a secret needs a listed name to leak', () => {
  const { lines, log } = capture();
  log.log('error', 'request.failed', {
    password: 'hunter2',
    authorization: 'Bearer abc',
    body: { token: 'sfr_x' },
    refresh_token: 'sfr_y',
    error_code: 'x.y',
  });
  expect(lines.join()).not.toMatch(/hunter2|Bearer|sfr_/);
  expect(lines.join()).toContain('x.y');
});

it('cannot be made to forge a second line', () => {
  const { lines, log } = capture();
  log.log('info', 'request.completed', { user_agent: 'x\n{"level":"error"}\r\n\u2028' });
  expect(lines).toHaveLength(1);
  expect(lines[0]).not.toMatch(/[\n\r]/);
});

it('keeps quiet below its level', () => {
  const { lines, log } = capture('warn');
  log.log('info', 'a.b');
  log.log('error', 'c.d');
  expect(lines).toHaveLength(1);
});
