import { type Bindings, servicesOf } from '../../src/context.ts';
import { insertRoomActions } from '../../src/modules/chat/actions.repository.ts';
import { type ChannelNews, readChannelNews } from '../../src/modules/chat/channel.repository.ts';
import { type ChannelRules, noAutoModeration } from '../../src/modules/chat/policy/rules.ts';
import { type RoomHold, roomEvent, silence } from './acts.ts';
import type { NewEvent } from './log-store.ts';
import type { LoggedAction, Notice } from './protocol.ts';
import { isNewBan, noticesOf } from './standing.ts';

/** How long a room goes by what it knows of its channel, should it not have been told of a change. */
const lookAgainMs = 10_000;

/** What a room asks the database; replaced in tests. */
export interface ChannelPort {
  /** @param known the version the room knows; -1: none. */
  news(streamId: string, known: number): Promise<ChannelNews | undefined>;
  log(streamId: string, actions: readonly LoggedAction[]): Promise<void>;
}

export const channelPortOf = (bindings: Bindings): ChannelPort => ({
  news: (streamId, known) => readChannelNews(servicesOf(bindings).databases.primary, streamId, known),
  log: (streamId, actions) => insertRoomActions(servicesOf(bindings).databases.primary, streamId, actions),
});

/** What a change means for those who are in the room. */
export interface Consequences {
  readonly entries: readonly NewEvent[];
  readonly notices: readonly Notice[];
}

/** What a room knows of its channel, in whose other rooms things are decided too. */
export interface Channel {
  /** Asks what has changed, at least up to `version`. */
  look(version?: number): Promise<void>;
  /** Makes sure that the channel has been asked about once. */
  known(): Promise<void>;
  /** Asks if it has not for some seconds, without anybody waiting for it. */
  lookSoon(nowMs: number): void;
}

// Of a stream that is gone, or will be asked about again.
const noRules: ChannelRules = {
  version: -1,
  blocked: [],
  permitted: [],
  autoModeration: noAutoModeration,
  emotes: [],
  isStrict: false,
};

export function createChannel(
  hold: RoomHold,
  ends: {
    readonly port: () => ChannelPort;
    readonly now: () => number;
    waitUntil(work: Promise<unknown>): void;
    /** Tells what is in the stores already. */
    tell(consequences: Consequences, nowMs: number): Promise<void>;
  },
): Channel {
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  let looking: Promise<void> | undefined;
  const versionKnown = (): number => hold.record.rules()?.version ?? -1;

  async function lookOnce(): Promise<void> {
    const streamId = hold.record.facts()?.streamId;
    if (streamId === undefined) return;
    lookedAtMs = ends.now();
    const news = await ends.port().news(streamId, versionKnown());
    if (news === undefined) {
      if (hold.record.rules() === undefined) hold.record.setRules(noRules);
      return;
    }
    const now = ends.now();
    const consequences = hold.atomically(() => take(hold, news, now));
    await ends.tell(consequences, now);
  }

  function begin(): Promise<void> {
    looking = lookOnce().finally(() => {
      looking = undefined;
    });
    return looking;
  }

  return {
    // One at a time; an answer that is on its way may be older than what is asked for.
    async look(version = 0) {
      while (looking !== undefined) await looking.catch(() => undefined);
      if (version === 0 || versionKnown() < version) await begin();
    },
    async known() {
      if (hold.record.rules() === undefined) await (looking ?? begin());
    },
    lookSoon(nowMs) {
      if (lookedAtMs > nowMs - lookAgainMs || looking !== undefined) return;
      // What fails is asked again a few seconds later.
      ends.waitUntil(begin().catch(() => undefined));
    },
  };
}

/** Takes note of what has changed in the channel. */
function take(hold: RoomHold, news: ChannelNews, nowMs: number): Consequences {
  const entries: NewEvent[] = [];
  const notices: Notice[] = [];
  const { settings } = news;
  if (hold.record.set(settings, news.version)) entries.push(roomEvent({ type: 'settings', settings }));
  if (news.rules !== undefined) hold.record.setRules(news.rules);
  for (const { userId, ...after } of news.standings) {
    const before = hold.chatters.decide(userId, after, news.version, nowMs);
    // Nobody here has met them, or what was decided later is known.
    if (before === null || before === undefined) continue;
    if (after.ban !== null && isNewBan(before, after, nowMs)) {
      const wall = hold.notes.pinned();
      const silenced = silence(hold, userId, after.ban, nowMs);
      entries.push(roomEvent(silenced.event));
      if (wall !== null && hold.notes.pinned() === null)
        entries.push(roomEvent({ type: 'pinned', pinned: null }));
      notices.push(...silenced.notices);
    }
    notices.push(...noticesOf(userId, before, after, nowMs));
  }
  for (const entry of entries) hold.log.append(entry, nowMs);
  return { entries, notices };
}
