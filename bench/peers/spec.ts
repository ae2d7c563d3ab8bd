import type { JWK } from 'jose';
import type { ReplayStatement } from '../replay.ts';

/** What the Node peer is told: the same settings as our Worker, and the statements it is to send. */
export interface PeerSpec {
  readonly publicJwk: JWK;
  readonly issuer: string;
  readonly audience: string;
  readonly cdnBaseUrl: string;
  readonly cursorSecret: string;
  readonly release: string;
  readonly replicaUrl: string;
  readonly shardUrls: readonly string[];
  readonly slotMap: string;
  /** Connections to each database: as many as the Neon bridge keeps. */
  readonly poolSize: number;
  readonly statements: {
    readonly video?: ReplayStatement;
    readonly timeline?: ReplayStatement;
    readonly posts?: ReplayStatement;
  };
}
