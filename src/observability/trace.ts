import { randomBytes } from '../shared/crypto.ts';
import { hex } from '../shared/encoding.ts';

/** W3C Trace Context, level 1 (https://www.w3.org/TR/trace-context/). */
export interface TraceContext {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits: our span. */
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly sampled: boolean;
  readonly tracestate: string | undefined;
}

const pattern = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const maxTracestate = 512;

/** Continues the caller's trace, or starts one when the header is absent or malformed. */
export function continueTrace(traceparent: string | undefined, tracestate: string | undefined): TraceContext {
  const match = traceparent === undefined ? null : pattern.exec(traceparent);
  const [, version, traceId, parentSpanId, flags, rest] = match ?? [];
  const valid =
    traceId !== undefined &&
    parentSpanId !== undefined &&
    flags !== undefined &&
    version !== 'ff' &&
    !(version === '00' && rest !== undefined) &&
    !/^0+$/.test(traceId) &&
    !/^0+$/.test(parentSpanId);
  if (!valid)
    return {
      traceId: newTraceId(),
      spanId: newSpanId(),
      parentSpanId: undefined,
      sampled: true,
      tracestate: undefined,
    };
  return {
    traceId,
    spanId: newSpanId(),
    parentSpanId,
    sampled: (Number.parseInt(flags, 16) & 1) === 1,
    tracestate: tracestate !== undefined && tracestate.length <= maxTracestate ? tracestate : undefined,
  };
}

/** The header to send on, naming our span as the parent. */
export const traceparentOf = (trace: TraceContext): string =>
  `00-${trace.traceId}-${trace.spanId}-${trace.sampled ? '01' : '00'}`;

// Epoch seconds first, so that the same id is a valid X-Ray trace id.
const newTraceId = (): string =>
  Math.floor(Date.now() / 1000)
    .toString(16)
    .padStart(8, '0') + hex(randomBytes(12));

const newSpanId = (): string => hex(randomBytes(8));
