import type { WebhookAnswer } from '../../../integrations/webhooks/index.ts';

/** What an attempt comes to. `gone`: the receiver wants nothing more, ever. */
export type Verdict = 'delivered' | 'gone' | 'failed';

const goneStatus = 410;

export function verdictOf(answer: WebhookAnswer): Verdict {
  if (answer.status === undefined) return 'failed';
  if (answer.status === goneStatus) return 'gone';
  return answer.status >= 200 && answer.status < 300 ? 'delivered' : 'failed';
}
