import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { continueTrace, traceparentOf } from '../../../src/observability/trace.ts';

const parent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

describe('continueTrace', () => {
  it('keeps the trace id, names the caller as parent and takes a span of its own', () => {
    const trace = continueTrace(parent, 'vendor=x');
    expect(trace).toMatchObject({
      traceId: '0af7651916cd43dd8448eb211c80319c',
      parentSpanId: 'b7ad6b7169203331',
      sampled: true,
      tracestate: 'vendor=x',
    });
    expect(trace.spanId).not.toBe('b7ad6b7169203331');
    expect(traceparentOf(trace)).toBe(`00-${trace.traceId}-${trace.spanId}-01`);
  });

  it('keeps the decision not to sample', () => {
    expect(continueTrace(parent.replace(/01$/, '00'), undefined).sampled).toBe(false);
  });

  it.each([
    undefined,
    '',
    '00-00000000000000000000000000000000-b7ad6b7169203331-01',
    '00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01',
    'ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    `${parent}-extra`,
    parent.toUpperCase(),
    parent.slice(0, -1),
  ])('starts anew on %s', (header) => {
    const trace = continueTrace(header, 'vendor=x');
    expect(trace.traceId).not.toBe('0af7651916cd43dd8448eb211c80319c');
    expect(trace.tracestate).toBeUndefined();
  });

  it('takes any later version as far as it understands it', () => {
    expect(continueTrace(`01${parent.slice(2)}-more`, undefined).traceId).toBe(
      '0af7651916cd43dd8448eb211c80319c',
    );
  });

  it('never fails and never emits an invalid header, whatever comes in', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (header, state) => {
        expect(traceparentOf(continueTrace(header, state))).toMatch(
          /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-0[01]$/,
        );
      }),
    );
  });

  it('makes trace ids X-Ray accepts: the first eight digits are the time', () => {
    const seconds = Number.parseInt(continueTrace(undefined, undefined).traceId.slice(0, 8), 16);
    expect(Math.abs(seconds - Date.now() / 1000)).toBeLessThan(5);
  });
});
