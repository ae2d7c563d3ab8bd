/** Runs a script's work; a failure is told in a sentence that says what to do, not by a stack. Exits with 1 then. */
export async function runScript(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    console.error(explain(error));
    process.exitCode = 1;
  }
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, address, port } = error as Error & { code?: string; address?: string; port?: number };
  if (code === 'ECONNREFUSED')
    return `Nothing answers at ${address}:${port}. Locally, start it first: npm start, or npm start -- --no-worker.`;
  // SQLSTATE class 28, and a database that is not there: https://www.postgresql.org/docs/current/errcodes-appendix.html
  if (code !== undefined && /^(28|3D)/.test(code))
    return `${error.message}. The settings are of another database; locally, npm start writes the right ones.`;
  return error.message;
}
