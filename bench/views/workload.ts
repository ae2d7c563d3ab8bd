export interface BeatsOrder {
  readonly videoId: string;
  readonly ownerId: string;
  readonly sessions: number;
  readonly beats: number;
  /** Objects the video is spread over. */
  readonly shards: number;
}

export interface IncrementsOrder {
  readonly count: number;
  readonly objects: number;
}

export interface FlushReport {
  readonly statements: number;
  readonly bytes: number;
  readonly rows: number;
}
