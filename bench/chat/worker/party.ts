import { getServerByName, Server } from 'partyserver';
import { createGathering, createNumbering } from '../peers/numbered.ts';

interface PartyBindings {
  readonly PARTY: DurableObjectNamespace<Party>;
  /** 0 sends each message by itself, as the examples of partyserver do. */
  readonly BATCH_MS: string;
}

/** A chat room of partyserver: one object holds all sockets, hibernates, and broadcasts. It keeps nothing on disk. */
export class Party extends Server<Cloudflare.Env> {
  static override options = { hibernate: true };
  readonly #numbering = createNumbering();
  readonly #gather = createGathering(
    Number((this.env as unknown as PartyBindings).BATCH_MS),
    (_from, _to, frame) => this.broadcast(frame),
  );

  override async onRequest(request: Request): Promise<Response> {
    const { entry, answer } = this.#numbering.take(await request.text());
    this.#gather(this.#numbering, entry);
    return new Response(answer, { headers: { 'content-type': 'application/json' } });
  }
}

export default {
  fetch: async (request, env) => (await getServerByName(env.PARTY, 'room')).fetch(request),
} satisfies ExportedHandler<PartyBindings>;
