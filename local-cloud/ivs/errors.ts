import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';

/** An IVS API error: answered as `{"exceptionMessage"}` with the type in `x-amzn-ErrorType`. */
export class IvsError extends Error {
  readonly status: number;
  readonly type: string;

  constructor(status: number, type: string, message: string) {
    super(message);
    this.name = 'IvsError';
    this.status = status;
    this.type = type;
  }
}

export const invalid = (message: string) => new IvsError(400, 'ValidationException', message);
export const notFound = (arn: string) =>
  new IvsError(404, 'ResourceNotFoundException', `Resource: ${arn} not found`);
export const notBroadcasting = () =>
  new IvsError(404, 'ChannelNotBroadcasting', 'The channel is not currently online');
export const conflict = (message: string) => new IvsError(409, 'ConflictException', message);
export const quotaExceeded = (message: string) => new IvsError(402, 'ServiceQuotaExceededException', message);
export const throttled = () =>
  new IvsError(429, 'ThrottlingException', 'Your request was denied due to request throttling.');
export const streamUnavailable = () =>
  new IvsError(503, 'StreamUnavailable', 'The stream is temporarily unavailable');

export function sendIvsError(response: ServerResponse, error: IvsError): void {
  const body = Buffer.from(JSON.stringify({ exceptionMessage: error.message }));
  response.writeHead(error.status, {
    'content-type': 'application/json',
    'content-length': body.length,
    'x-amzn-errortype': error.type,
    'x-amzn-requestid': randomUUID(),
  });
  response.end(body);
}
