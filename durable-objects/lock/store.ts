/** Who holds the lock. `owner` is undefined when it is free. */
export interface LockState {
  readonly fencingToken: number;
  readonly owner: string | undefined;
  readonly expiresAtMs: number;
}

export interface LockStore {
  read(): LockState;
  write(state: LockState): void;
}

export function createLockStore(sql: SqlStorage): LockStore {
  return {
    read() {
      const row = sql
        .exec<{ fencing_token: number; owner: string | null; expires_at_ms: number }>(
          'SELECT fencing_token, owner, expires_at_ms FROM lock WHERE id = 1',
        )
        .one();
      return {
        fencingToken: row.fencing_token,
        owner: row.owner ?? undefined,
        expiresAtMs: row.expires_at_ms,
      };
    },
    write(state) {
      sql.exec(
        'UPDATE lock SET fencing_token = ?, owner = ?, expires_at_ms = ? WHERE id = 1',
        state.fencingToken,
        state.owner ?? null,
        state.expiresAtMs,
      );
    },
  };
}
