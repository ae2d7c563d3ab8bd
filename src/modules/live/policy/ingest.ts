// https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/getting-started-set-up-streaming.html

const hostOf = (endpoint: string): string => endpoint.split(':')[0] ?? endpoint;
const withPort = (endpoint: string, port: number): string =>
  endpoint.includes(':') ? endpoint : `${endpoint}:${port}`;

/** Where encoders connect with RTMP over TLS. IVS names a host; the local cloud, which cannot use port 443, its port too. */
export const rtmpsUrl = (ingestEndpoint: string): string => `rtmps://${withPort(ingestEndpoint, 443)}/app/`;

/** Where they connect without TLS. */
export const rtmpUrl = (ingestEndpoint: string, port: number): string =>
  `rtmp://${hostOf(ingestEndpoint)}:${port}/app/`;

/** Where they connect with SRT. */
export const srtUrl = (srtEndpoint: string): string =>
  `srt://${withPort(srtEndpoint.replace(/^srt:\/\//, ''), 9_000)}`;
