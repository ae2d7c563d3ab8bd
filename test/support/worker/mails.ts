import { inject } from 'vitest';

export interface TestMail {
  readonly id: string;
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** The mails sent to an address so far, newest first. Deliver the events first: mails go out by the queue. */
export async function mailsTo(address: string): Promise<TestMail[]> {
  const answer = await fetch(`${inject('mailUrl')}/api/mails?to=${encodeURIComponent(address)}`);
  return ((await answer.json()) as { mails: TestMail[] }).mails;
}

/** The single-use token in the link of a mail. */
export function tokenIn(mail: TestMail | undefined): string {
  const token = /#token=(sf[vp]_[\w-]{49})/.exec(mail?.text ?? '')?.[1];
  if (token === undefined) throw new Error(`there is no token in this mail: ${mail?.text}`);
  return token;
}

/** Makes the next sends fail with the given error of SES. */
export async function failMails(count: number, error: { status: number; code: string }): Promise<void> {
  await fetch(`${inject('mailUrl')}/api/failures`, {
    method: 'POST',
    body: JSON.stringify({ count, ...error }),
  });
}
