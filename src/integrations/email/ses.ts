import type { Config } from '../../config/index.ts';
import { AwsError, callAws, readBody } from '../aws/index.ts';

// https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html

/** A mail to one person, as plain text and as HTML that says the same. */
export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** A mail that will not be taken however often it is sent: the address or the content is refused. */
export class EmailRefused extends Error {
  readonly code: string;

  constructor(code: string, cause?: unknown) {
    super(`e-mail refused: ${code}`, cause === undefined ? undefined : { cause });
    this.name = 'EmailRefused';
    this.code = code;
  }
}

const operation = 'SendEmail';
const senderName = 'Social Flow';
// What a client may register (`emailSchema`) and nothing that could end a header line or name a second recipient.
const addressPattern = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9.-]{1,253}$/;
const controlCharacters = /[\p{Cc}\u2028\u2029]/u;
const permanentCodes: ReadonlySet<string> = new Set(['MessageRejected', 'BadRequestException']);

/**
 * Hands a mail to Amazon SES, once: SES knows no idempotency token, so a call whose answer is lost may have sent it.
 * @returns the message id SES gave.
 * @throws EmailRefused when sending it again would not help; AwsError when it may.
 */
export async function sendEmail(config: Pick<Config, 'aws' | 'email'>, mail: Mail): Promise<string> {
  if (!addressPattern.test(mail.to)) throw new EmailRefused('malformed_address');
  if (controlCharacters.test(mail.subject)) throw new EmailRefused('malformed_subject');
  const { aws, email } = config;
  const endpoint = email.sesEndpoint === '' ? `https://email.${aws.region}.amazonaws.com` : email.sesEndpoint;
  const content = (data: string) => ({ Data: data, Charset: 'UTF-8' });
  let response: Response;
  try {
    response = await callAws(aws, {
      service: 'ses',
      operation,
      method: 'POST',
      url: `${endpoint}/v2/email/outbound-emails`,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        FromEmailAddress: `${senderName} <${email.fromAddress}>`,
        Destination: { ToAddresses: [mail.to] },
        Content: {
          Simple: {
            Subject: content(mail.subject),
            Body: { Text: content(mail.text), Html: content(mail.html) },
          },
        },
      }),
      retries: 0,
      parseError: errorOf,
    });
  } catch (error) {
    if (error instanceof AwsError && permanentCodes.has(error.code))
      throw new EmailRefused(error.code, error);
    throw error;
  }
  const answer = await readBody({ service: 'ses', operation }, response.text());
  try {
    const { MessageId } = JSON.parse(answer) as { MessageId?: unknown };
    return typeof MessageId === 'string' ? MessageId : '';
  } catch {
    // A 200 means that SES took it; sending it again because the answer is odd would send it twice.
    return '';
  }
}

async function errorOf(response: Response): Promise<{ code: string; detail?: string }> {
  const text = await response.text().catch(() => '');
  const code = response.headers.get('x-amzn-errortype')?.split(':')[0] ?? `Http${response.status}`;
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    return typeof message === 'string' ? { code, detail: message } : { code };
  } catch {
    return { code };
  }
}
