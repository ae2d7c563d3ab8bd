// What the tests use of the library, so that its types need not be there to check ours.
declare module 'standardwebhooks' {
  export class Webhook {
    constructor(secret: string);
    sign(id: string, timestamp: Date, payload: string): string;
    verify(payload: string, headers: Record<string, string>): unknown;
  }
}
