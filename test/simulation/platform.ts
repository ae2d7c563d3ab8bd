/**
 * As much of the Workers platform as chat objects need, in one process and on a clock of its own: objects with SQLite, one
 * alarm and hibernating sockets, calls between them that take time and can get lost, and isolates that die between any two of them.
 */

interface Statement {
  all(...bindings: unknown[]): Record<string, unknown>[];
}
interface Database {
  exec(statements: string): void;
  prepare(statement: string): Statement;
  close(): void;
}

const { process: builtin } = globalThis as unknown as {
  process: { getBuiltinModule(name: string): Record<string, unknown> };
};
const { DatabaseSync } = builtin.getBuiltinModule('node:sqlite') as {
  DatabaseSync: new (path: string) => Database;
};
const { AsyncLocalStorage } = builtin.getBuiltinModule('node:async_hooks') as {
  AsyncLocalStorage: new () => { run<T>(store: Isolate, work: () => T): T; getStore(): Isolate | undefined };
};
const { setImmediate: nextTurn } = builtin.getBuiltinModule('node:timers') as {
  setImmediate(work: () => void): void;
};

/** One life of an object in memory. */
interface Isolate {
  isAlive: boolean;
  readonly instance: Record<string, (...values: unknown[]) => unknown>;
}

interface Slot {
  readonly name: string;
  readonly database: Database;
  readonly sockets: Set<ServerSocket>;
  alarmAtMs: number | null;
  isRinging: boolean;
  isolate: Isolate | undefined;
}

/** What becomes of a call between two objects. */
export type Fate = 'arrives' | 'gets lost' | 'answer gets lost' | 'comes twice' | 'is late';

export type Make = (name: string, ctx: DurableObjectState, env: Cloudflare.Env) => object;

interface Due {
  readonly atMs: number;
  readonly work: () => void;
}

const isolates = new AsyncLocalStorage();
const never = new Promise<never>(() => undefined);
const open = 1;
const closed = 3;

/** The end of a socket that an object holds. */
export class ServerSocket {
  readyState = open;
  tags: readonly string[] = [];
  readonly client: ClientSocket;
  #attachment: unknown;

  constructor(client: ClientSocket) {
    this.client = client;
  }
  send(data: string): void {
    if (this.readyState !== open) throw new TypeError('the socket is closed');
    this.client.receive(data);
  }
  close(code?: number): void {
    if (this.readyState === closed) return;
    this.readyState = closed;
    this.client.end(code);
  }
  serializeAttachment(value: unknown): void {
    this.#attachment = structuredClone(value);
  }
  deserializeAttachment(): unknown {
    return structuredClone(this.#attachment);
  }
}

/** The other end. */
export class ClientSocket {
  onMessage: (data: string) => void = () => undefined;
  onClose: (code: number | undefined) => void = () => undefined;
  /** What came before the handshake was answered. */
  #waiting: string[] | undefined = [];
  #ended: { readonly code: number | undefined } | undefined;
  /** Set by the object that takes the socket. */
  hangUp: () => void = () => undefined;

  receive(data: string): void {
    if (this.#waiting === undefined) this.onMessage(data);
    else this.#waiting.push(data);
  }
  end(code: number | undefined): void {
    if (this.#waiting === undefined) this.onClose(code);
    else this.#ended = { code };
  }
  begin(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const data of waiting) this.onMessage(data);
    if (this.#ended !== undefined) this.onClose(this.#ended.code);
  }
}

export class Platform {
  nowMs = Date.UTC(2026, 0, 1);
  /** Decides on each call between objects; a call from outside always arrives. */
  fate: () => Fate = () => 'arrives';
  readonly #slots = new Map<string, Slot>();
  readonly #due = new Map<number, Due>();
  readonly #make: Make;
  #lastDue = 0;
  #calls = 0;

  constructor(make: Make) {
    this.#make = make;
  }

  namespace(kind: string): { getByName(name: string): object } {
    return { getByName: (name) => this.#stub(`${kind} ${name}`) };
  }

  /** Names of the objects there have been, of a kind. */
  names(kind: string): string[] {
    return [...this.#slots.keys()].filter((name) => name.startsWith(`${kind} `));
  }

  /** Calls an object as the Worker would. */
  call(name: string, method: string, ...values: unknown[]): Promise<unknown> {
    return this.#run(this.#slot(name), method, values);
  }

  /** Takes an object out of memory; its sockets sleep on, or are cut without a word, as in a deployment. */
  evict(name: string, cut: boolean): void {
    const slot = this.#slots.get(name);
    if (slot === undefined) return;
    if (slot.isolate !== undefined) slot.isolate.isAlive = false;
    slot.isolate = undefined;
    // An alarm that did not come to its end goes off again.
    if (slot.isRinging) slot.alarmAtMs ??= this.nowMs + 2_000;
    slot.isRinging = false;
    if (!cut) return;
    for (const socket of slot.sockets) {
      socket.readyState = closed;
      socket.client.end(1006);
    }
    slot.sockets.clear();
  }

  setTimer(work: () => void, afterMs: number): number {
    const isolate = isolates.getStore();
    return this.#at(this.nowMs + afterMs, () => {
      if (isolate === undefined) work();
      else if (isolate.isAlive) isolates.run(isolate, work);
    });
  }

  dropTimer(id: number): void {
    this.#due.delete(id);
  }

  /** Lets time pass, with everything that falls due meanwhile. */
  async pass(ms: number): Promise<void> {
    const untilMs = this.nowMs + ms;
    await this.settle();
    for (;;) {
      const next = this.#next();
      if (next === undefined || next.atMs > untilMs) break;
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.work();
      await this.settle();
    }
    this.nowMs = untilMs;
  }

  /** Lets everything go on that waits for nothing. */
  settle(): Promise<void> {
    return new Promise((resolve) => nextTurn(resolve));
  }

  end(): void {
    for (const { database } of this.#slots.values()) database.close();
  }

  #at(atMs: number, work: () => void): number {
    this.#lastDue += 1;
    this.#due.set(this.#lastDue, { atMs, work });
    return this.#lastDue;
  }

  /** What falls due first; carrying it out takes it off the list. */
  #next(): Due | undefined {
    let first: Due | undefined;
    for (const [id, { atMs, work }] of this.#due)
      if (first === undefined || atMs < first.atMs)
        first = {
          atMs,
          work: () => {
            this.#due.delete(id);
            work();
          },
        };
    for (const slot of this.#slots.values())
      if (slot.alarmAtMs !== null && (first === undefined || slot.alarmAtMs < first.atMs))
        first = { atMs: slot.alarmAtMs, work: () => this.#ring(slot) };
    return first;
  }

  #ring(slot: Slot): void {
    slot.alarmAtMs = null;
    slot.isRinging = true;
    const isolate = this.#isolate(slot);
    this.#run(slot, 'alarm', [])
      .catch(() => {
        if (isolate.isAlive) slot.alarmAtMs ??= this.nowMs + 2_000;
      })
      .finally(() => {
        if (isolate.isAlive) slot.isRinging = false;
      });
  }

  #slot(name: string): Slot {
    const known = this.#slots.get(name);
    if (known !== undefined) return known;
    const slot: Slot = {
      name,
      database: new DatabaseSync(':memory:'),
      sockets: new Set(),
      alarmAtMs: null,
      isRinging: false,
      isolate: undefined,
    };
    this.#slots.set(name, slot);
    return slot;
  }

  #isolate(slot: Slot): Isolate {
    if (slot.isolate !== undefined) return slot.isolate;
    const env = { CHAT_ROOM: this.namespace('room'), CHAT_RELAY: this.namespace('relay') };
    const instance = this.#make(
      slot.name,
      stateOf(slot, (s) => this.#takeSocket(slot, s)),
      env as never,
    );
    slot.isolate = { isAlive: true, instance: instance as Isolate['instance'] };
    return slot.isolate;
  }

  async #run(slot: Slot, method: string, values: readonly unknown[]): Promise<unknown> {
    const isolate = this.#isolate(slot);
    const answer = await isolates.run(isolate, async () => isolate.instance[method]?.(...values));
    // Who waits for an object that died is told so.
    if (!isolate.isAlive) throw new Error('the object was reset');
    return answer;
  }

  #takeSocket(slot: Slot, socket: ServerSocket): void {
    slot.sockets.add(socket);
    socket.client.hangUp = () => {
      if (!slot.sockets.delete(socket) || socket.readyState === closed) return;
      socket.readyState = 2;
      this.#run(slot, 'webSocketClose', [socket, 1000, '']).catch(() => undefined);
    };
  }

  #stub(name: string): object {
    const call = async (method: string, values: readonly unknown[]): Promise<unknown> => {
      const caller = isolates.getStore();
      const fate = this.fate();
      // Differs from call to call, so that calls overtake each other.
      this.#calls += 1;
      const wayMs = fate === 'is late' || fate === 'gets lost' ? 700 : 1 + ((this.#calls * 7) % 13);
      const outcome = await new Promise<{ readonly answer?: unknown; readonly error?: unknown }>(
        (resolve) => {
          this.#at(this.nowMs + wayMs, () => {
            if (fate === 'gets lost') return resolve({ error: new Error('lost on the way') });
            const first = this.#run(this.#slot(name), method, values);
            if (fate === 'comes twice')
              this.#at(
                this.nowMs + 20,
                () => void this.#run(this.#slot(name), method, values).catch(() => 0),
              );
            first.then(
              (answer) => resolve(fate === 'answer gets lost' ? { error: new Error('lost') } : { answer }),
              (error: unknown) => resolve({ error }),
            );
          });
        },
      );
      if (caller !== undefined && !caller.isAlive) return never;
      if ('error' in outcome) throw outcome.error;
      return outcome.answer;
    };
    return new Proxy(
      {},
      {
        get: (_, method) =>
          method === 'then' ? undefined : (...values: unknown[]) => call(String(method), values),
      },
    );
  }
}

function stateOf(slot: Slot, accept: (socket: ServerSocket) => void): DurableObjectState {
  const statements = new Map<string, Statement>();
  let depth = 0;
  const sql = {
    exec(query: string, ...bindings: unknown[]) {
      let rows: Record<string, unknown>[];
      if (bindings.length === 0 && query.trimEnd().slice(0, -1).includes(';')) {
        slot.database.exec(query);
        rows = [];
      } else {
        const statement = statements.get(query) ?? slot.database.prepare(query);
        statements.set(query, statement);
        rows = statement.all(...bindings).map(withBuffers);
      }
      return {
        toArray: () => rows,
        one: () => {
          if (rows.length !== 1) throw new Error(`${rows.length} rows instead of one`);
          return rows[0];
        },
        [Symbol.iterator]: () => rows[Symbol.iterator](),
      };
    },
  };
  const storage = {
    sql,
    transactionSync<T>(work: () => T): T {
      const savepoint = `level_${depth}`;
      depth += 1;
      slot.database.exec(`SAVEPOINT ${savepoint}`);
      try {
        return work();
      } catch (error) {
        slot.database.exec(`ROLLBACK TO ${savepoint}`);
        throw error;
      } finally {
        slot.database.exec(`RELEASE ${savepoint}`);
        depth -= 1;
      }
    },
    getAlarm: async () => slot.alarmAtMs,
    setAlarm: async (atMs: number) => {
      slot.alarmAtMs = atMs;
    },
  };
  const ctx = {
    id: { name: slot.name.slice(slot.name.indexOf(' ') + 1) },
    storage,
    waitUntil: (work: Promise<unknown>) => void work.catch(() => undefined),
    acceptWebSocket(socket: ServerSocket, tags: readonly string[] = []) {
      socket.tags = tags;
      accept(socket);
    },
    getWebSockets: (tag?: string) =>
      [...slot.sockets].filter(
        (socket) => socket.readyState === open && (tag === undefined || socket.tags.includes(tag)),
      ),
    setWebSocketAutoResponse: () => undefined,
  };
  return ctx as unknown as DurableObjectState;
}

const withBuffers = (row: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      value instanceof Uint8Array
        ? value.buffer.slice(value.byteOffset, value.byteOffset + value.byteLength)
        : value,
    ]),
  );
