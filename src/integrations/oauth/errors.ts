/** A provider could not be reached, or what it answered cannot be trusted. Its text stays in logs. */
export class ProviderError extends Error {
  readonly provider: string;
  /**
   * - `unreachable`: no answer in time, or an answer of 5xx or 429.
   * - `code_refused`: it does not take the authorization code.
   * - `answer_invalid`: what it answered is malformed, unsigned, or not meant for us.
   */
  readonly reason: 'unreachable' | 'code_refused' | 'answer_invalid';

  constructor(provider: string, reason: ProviderError['reason'], detail: string, cause?: unknown) {
    super(`${provider}: ${reason} (${detail})`, cause === undefined ? undefined : { cause });
    this.name = 'ProviderError';
    this.provider = provider;
    this.reason = reason;
  }
}
