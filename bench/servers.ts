/** A server under measurement, in a process of its own. */
export interface BenchServer {
  readonly name: string;
  readonly pid: number;
  /** On 127.0.0.1. */
  readonly port: number;
  stop(): Promise<void>;
  /** The last lines it wrote to stderr. */
  complaints(): string;
}

/** One request of a scenario; a loader goes through all of them in turn. */
export interface BenchRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Sends one request and returns its body. @throws Error for any status but 200. */
export async function bodyOf(server: BenchServer, request: BenchRequest): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${server.port}${request.path}`, {
    headers: request.headers,
  });
  const body = await response.text();
  if (response.status !== 200)
    throw new Error(
      `${server.name} answered ${request.path} with ${response.status}: ${body}\n${server.complaints()}`,
    );
  return body;
}
