/** What the room knows of somebody who may write, as the database had it when they came. */
export interface ChatterFacts {
  readonly userId: string;
  readonly username: string;
  readonly displayName: string;
  readonly role: ChatRole;
  /** A member of the channel now. */
  readonly isMember: boolean;
  /** Since when they follow the channel, Unix milliseconds. */
  readonly followsSinceMs: number | null;
  readonly ban: Ban | null;
  /** Why they were warned, until they acknowledge it. */
  readonly warning: string | null;
  /** How many messages in any 30 seconds an account of a program may write; null for everybody else. */
  readonly botMessages: number | null;
  /** Of their name, `#rrggbb`; null where they chose none. */
  readonly color: string | null;
  /** Of the channel, as of which this is so. */
  readonly version: number;
}

/** What moderators decide about somebody. */
export type Standing = Pick<ChatterFacts, 'role' | 'ban' | 'warning'>;

export type ChatRole = 'owner' | 'moderator' | 'vip' | 'viewer';

export interface Ban {
  /** Null: for good. */
  readonly untilMs: number | null;
}

export interface ChatSettings {
  /** Seconds between two messages of one viewer; 0 turns slow mode off. */
  readonly slow_seconds: number;
  readonly members_only: boolean;
  /** Minutes somebody must have followed the channel; null lets everybody write. */
  readonly followers_only_minutes: number | null;
  readonly emote_only: boolean;
  /** Nothing is said twice in the room. */
  readonly unique_only: boolean;
  /** Seconds after which others than moderators see what viewers write; 0: at once. */
  readonly moderator_delay_seconds: number;
  /** Whether the shield is up, which makes the other settings stricter. */
  readonly shield: boolean;
}

export const openSettings: ChatSettings = {
  slow_seconds: 0,
  members_only: false,
  followers_only_minutes: null,
  emote_only: false,
  unique_only: false,
  moderator_delay_seconds: 0,
  shield: false,
};

/** Which stream a room belongs to. */
export interface RoomFacts {
  readonly streamId: string;
  readonly ownerId: string;
  readonly settings: ChatSettings;
  /** Of the channel, as of which the settings are so. */
  readonly version: number;
}

/** What stands for an emote: a character, or a picture of the channel's own. */
export type EmoteLook =
  | { readonly emoji: string }
  | { readonly emote_id: string; readonly format: 'png' | 'gif'; readonly emoji?: undefined };

export type Fragment =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'mention'; readonly text: string; readonly username: string }
  /** `emoji`: the character that stands for it. */
  | ({ readonly type: 'emote'; readonly text: string; readonly name: string } & EmoteLook)
  | { readonly type: 'link'; readonly text: string; readonly url: string };

export interface Author {
  readonly id: string;
  readonly username: string;
  readonly name: string;
  readonly role: ChatRole;
  readonly member: boolean;
  /** A program's account, which the platform has looked at. */
  readonly bot?: true;
  readonly color?: string;
}

export interface Quote {
  readonly message_id: string;
  readonly author: string;
  readonly text: string;
}

export interface PinnedMessage {
  readonly message_id: string;
  readonly author: string;
  readonly text: string;
}

export interface PollView {
  readonly id: string;
  readonly title: string;
  readonly choices: readonly { readonly text: string; readonly votes: number }[];
  /** Unix milliseconds. */
  readonly ends_at: number;
  readonly ended: boolean;
}

/** What hangs in a room beside its log. */
export interface RoomNotes {
  readonly settings: ChatSettings;
  readonly pinned: PinnedMessage | null;
  readonly poll: PollView | null;
}

/** What happens in a room. Ids are public ones: this is what clients read. */
export type ChatEvent =
  | {
      readonly type: 'message';
      readonly id: string;
      readonly author: Author;
      readonly fragments: readonly Fragment[];
      readonly reply_to?: Quote;
      /** Its words were taken out. */
      readonly deleted?: true;
    }
  | { readonly type: 'message_deleted'; readonly message_id: string }
  | { readonly type: 'cleared' }
  /** The last of all: the stream is no more. */
  | { readonly type: 'closed' }
  /** Everything this person said is to be hidden; null seconds are a ban for good. */
  | { readonly type: 'user_silenced'; readonly user_id: string; readonly seconds: number | null }
  | { readonly type: 'settings'; readonly settings: ChatSettings }
  | { readonly type: 'announcement'; readonly author: Author; readonly fragments: readonly Fragment[] }
  /** Null: nothing is pinned any more. */
  | { readonly type: 'pinned'; readonly pinned: PinnedMessage | null }
  /** Begins, or has ended with these votes. */
  | { readonly type: 'poll'; readonly poll: PollView };

/** An event at its place in the room's log, ready to be sent. */
export interface LogItem {
  readonly seq: number;
  /** `{"seq","at","event"}` as JSON; `at` in Unix milliseconds. */
  readonly text: string;
  /** Shown to everybody, however much is said. */
  readonly isKept: boolean;
  readonly authorId: string | undefined;
  /** Names of those it speaks to. */
  readonly mentions: readonly string[];
  /** From when on others than moderators see it, Unix milliseconds; 0: at once. */
  readonly shownAtMs: number;
}

/** A run of the room's log without holes, from the number after `after`. */
export interface LogRun {
  /** -1 where the beginning of what was asked for is forgotten. */
  readonly after: number;
  readonly head: number;
  readonly items: readonly LogItem[];
}

/** What a relay needs to begin, or to go on. */
export interface RoomState extends LogRun {
  readonly notes: RoomNotes;
  /** How many look on, over all relays. */
  readonly viewers: number;
}

/** Numbers that stand for themselves: the latest are all that counts. */
export interface Counts {
  readonly viewers: number;
  readonly poll: PollView | null;
}

/** The room does not know the stream, or not the person, well enough: the caller asks the database and calls again. */
export type Unknown = { readonly unknown: true };

/** What the database says where the room did not know. */
export interface Stated {
  readonly room: RoomFacts;
  readonly facts: ChatterFacts;
}

/** A message that waits for a moderator. */
export interface HeldMessage {
  readonly id: string;
  readonly author: Author;
  readonly fragments: readonly Fragment[];
  /** What it is held for: a category of auto-moderation, or `links`. */
  readonly category: string;
  /** How bad the worst word in it is, 1 to 4. */
  readonly severity: number;
  /** Unix milliseconds. */
  readonly at: number;
  /** When it counts as denied. */
  readonly ends_at: number;
}

export type HeldOutcome = 'approved' | 'denied' | 'expired';

/** What was done in a room, as it is written down in the database. */
export interface LoggedAction {
  readonly id: string;
  /** RFC 3339. */
  readonly at: string;
  readonly actor_id: string;
  readonly kind: string;
  readonly target_id: string | null;
  readonly message_id: string | null;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** A frame for some of a relay's sockets, which has no place in the log. */
export interface Notice {
  /** Those of one person, or of all who keep order. */
  readonly to: { readonly userId: string } | 'moderators';
  readonly frame: string;
  /** Who keeps order from now on, or no more: the sockets of this person. */
  readonly keepsOrder?: boolean;
  /** Closes their sockets with this code. */
  readonly close?: number;
}

/** Hands batches to a relay. @returns the number the relay has come to; undefined when it holds no socket any more. */
export type Deliver = (relay: number, run: LogRun) => Promise<number | undefined>;

export const dropCodes = [
  'msg_banned',
  'msg_timedout',
  'msg_warned',
  'msg_followersonly',
  'msg_subsonly',
  'msg_emoteonly',
  'msg_slowmode',
  'msg_ratelimit',
  'msg_roomratelimit',
  'msg_duplicate',
  'msg_r9k',
  'msg_closed',
  'msg_rejected_mandatory',
  'msg_held',
  'msg_rejected',
] as const;
export type DropCode = (typeof dropCodes)[number];

/** What became of a message. A limit answers with its reason, never with silence. */
export type SendResult =
  | { readonly is_sent: true; readonly message_id: string; readonly seq: number }
  | {
      readonly is_sent: false;
      /** Of a message that is held. */
      readonly message_id?: string;
      readonly drop_reason: {
        readonly code: DropCode;
        readonly message: string;
        readonly retry_after_ms?: number;
      };
    };

/** What a relay holds. */
export interface Crowd {
  readonly sockets: number;
  /** Different people among them; each stranger's socket is one. */
  readonly viewers: number;
}

/** What became of a vote. */
export type VoteResult = 'counted' | 'already' | 'no_poll' | 'no_choice' | 'banned';

export interface MessageInput {
  /** Chosen by the client; a message sent again under the same one is the same message. */
  readonly clientId: string;
  readonly text: string;
  readonly replyTo?: string | undefined;
}

/** What somebody who may do it does to the room. Their right is for the caller to have checked. */
export type ModeratorAct =
  | { readonly kind: 'delete'; readonly messageId: string }
  /** One that stands in the archive alone. */
  | { readonly kind: 'delete archived'; readonly messageId: string; readonly authorId: string }
  | { readonly kind: 'clear' }
  | {
      readonly kind: 'silence';
      readonly userId: string;
      readonly seconds: number | null;
      readonly version: number;
    }
  | { readonly kind: 'unban'; readonly userId: string; readonly version: number }
  | { readonly kind: 'warn'; readonly userId: string; readonly reason: string; readonly version: number }
  | { readonly kind: 'acknowledge'; readonly userId: string; readonly version: number }
  /** Decides on a message that waits. */
  | { readonly kind: 'judge'; readonly messageId: string; readonly outcome: 'approved' | 'denied' }
  | { readonly kind: 'announce'; readonly userId: string; readonly text: string }
  | { readonly kind: 'pin'; readonly messageId: string }
  | { readonly kind: 'unpin' }
  | {
      readonly kind: 'open poll';
      readonly title: string;
      readonly choices: readonly string[];
      readonly seconds: number;
    }
  | { readonly kind: 'close poll' }
  | { readonly kind: 'settings'; readonly settings: ChatSettings; readonly version: number };

/** Whether an act was done; not where there was nothing to do it to, or where it would be done to those above who does it. */
export type ActResult = 'done' | 'nothing' | 'above';

export const maxTextLength = 500;
/** The ring keeps at least so many events, and all of the last `keptMs`. */
export const keptEvents = 500;
export const keptMs = 120_000;
/**
 * While the database is away, so many wait in the room to be archived, and the oldest are lost after that: over five hours of the
 * loudest room there can be, in less than half of the 10 GB an object may hold
 * (https://developers.cloudflare.com/durable-objects/platform/limits/).
 */
export const unarchivedEvents = 4_000_000;
/** How long what was accepted may wait for company before it goes out. */
export const batchMs = 60;
/** The same where a relay holds more sockets than `crowdSockets`: each frame costs it some 30 us of its thread for each socket. */
export const crowdBatchMs = 100;
export const crowdSockets = 1_000;
/** Batches a relay may have in hand at one time; what comes meanwhile goes out together. */
export const maxBatchesInHand = 3;
/** Messages a second that a room takes on, over all who write. */
export const roomMessagesPerSecond = 200;
export const roomBurst = 400;
export const maxSocketsPerRelay = 2_000;
/** A relay that has not been heard of for so long gets no more batches. */
export const leaseMs = 30_000;
/** Facts about a chatter are asked for again after this long. */
export const factsMs = 300_000;

export const roomName = (streamId: string): string => `stream:${streamId}`;
/** The stream of a room, by its name. */
export const streamOfRoom = (name: string | undefined): string | undefined =>
  name?.slice(roomName('').length);
export const relayName = (streamId: string, index: number): string => `stream:${streamId}:${index}`;
