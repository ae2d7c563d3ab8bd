/** What the account has, as kept on disk. `arn` is the key of each. */
export type Tags = Readonly<Record<string, string>>;

type Resource = { readonly arn: string; readonly createdAtMs: number; tags: Tags };

export type Channel = Resource & {
  name: string;
  latencyMode: 'NORMAL' | 'LOW';
  type: 'BASIC' | 'STANDARD' | 'ADVANCED_SD' | 'ADVANCED_HD';
  authorized: boolean;
  insecureIngest: boolean;
  preset: string;
  containerFormat: 'TS' | 'FRAGMENTED_MP4';
  /** Empty when nothing is recorded. */
  recordingConfigurationArn: string;
  /** Empty when everybody may watch. */
  playbackRestrictionPolicyArn: string;
};

export type StreamKey = Resource & { readonly channelArn: string; readonly value: string };

export type RecordingConfiguration = Resource & {
  readonly name: string;
  readonly bucketName: string;
  readonly state: 'ACTIVE' | 'CREATE_FAILED';
  readonly reconnectWindowSeconds: number;
  readonly thumbnails: {
    readonly recordingMode: 'DISABLED' | 'INTERVAL';
    readonly targetIntervalSeconds: number;
    readonly resolution?: Resolution;
    readonly storage: readonly ('SEQUENTIAL' | 'LATEST')[];
  };
  readonly renditions: {
    readonly renditionSelection: 'ALL' | 'NONE' | 'CUSTOM';
    readonly renditions: readonly Resolution[];
  };
};

export type Resolution = 'SD' | 'HD' | 'FULL_HD' | 'LOWEST_RESOLUTION';

export type PlaybackKeyPair = Resource & {
  readonly name: string;
  readonly fingerprint: string;
  /** PEM, SubjectPublicKeyInfo. */
  readonly publicKey: string;
};

export type PlaybackRestrictionPolicy = Resource & {
  name: string;
  allowedCountries: readonly string[];
  allowedOrigins: readonly string[];
  enableStrictOriginEnforcement: boolean;
};

/** Viewer sessions of one viewer of one channel that ended: those up to a version, made before a time. */
export type Revocation = Resource & {
  readonly channelArn: string;
  readonly viewerId: string;
  readonly version: number;
};

export type StreamEvent = { name: string; type: string; eventTime: string; code?: string };

export type VideoSettings = {
  profile: string;
  level: string;
  codec: string;
  encoder: string;
  targetBitrate: number;
  targetFramerate: number;
  videoHeight: number;
  videoWidth: number;
};

export type AudioSettings = { codec: string; targetBitrate: number; sampleRate: number; channels: number };

/** One stream session, live while it has no end. */
export type StreamSession = Resource & {
  readonly streamId: string;
  readonly channelArn: string;
  /** As it was when the session began. */
  readonly channel: Channel;
  readonly recordingConfiguration?: RecordingConfiguration;
  /** When viewers could see it. */
  startedAtMs?: number;
  endedAtMs?: number;
  video?: VideoSettings;
  audio?: AudioSettings;
  /** Oldest first. */
  events: StreamEvent[];
};

export type Resources = {
  channel: Channel;
  'stream-key': StreamKey;
  'recording-configuration': RecordingConfiguration;
  'playback-key': PlaybackKeyPair;
  'playback-restriction-policy': PlaybackRestrictionPolicy;
  revocation: Revocation;
  'stream-session': StreamSession;
};

export type Kind = keyof Resources;
