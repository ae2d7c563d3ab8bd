// Tells the API what of the film is watched and how the playing goes (docs/views.md). Whatever fails here, the film plays on.

const everySeconds = 5;
const maxEverySeconds = 60;
const retryMs = 5_000;
const maxRetryMs = 30_000;
const answerWithinMs = 15_000;
// What one heartbeat may hold.
const maxIntervals = 20;
const maxErrors = 5;
const maxWaitMs = 600_000;
const hostName = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;
const mediaErrors = [
  'MEDIA_ERR_ABORTED',
  'MEDIA_ERR_NETWORK',
  'MEDIA_ERR_DECODE',
  'MEDIA_ERR_SRC_NOT_SUPPORTED',
];
const sessionOver = ['views.session_expired', 'views.session_invalid'];

/** How the viewer came here: by a frame in another page, by a link of another site, or neither. */
function sourceOf(embedOrigin) {
  const framed = window.parent !== window;
  const from = framed ? embedOrigin : document.referrer;
  const host = URL.canParse(from) ? new URL(from).hostname : '';
  const referrer = hostName.test(host) && (framed || host !== window.location.hostname) ? host : undefined;
  if (framed) return { kind: 'embed', referrer };
  return { kind: referrer === undefined ? 'direct' : 'external', referrer };
}

async function ask(address, body, keepalive) {
  const response = await fetch(address, {
    method: 'POST',
    credentials: 'omit',
    keepalive,
    signal: AbortSignal.timeout(answerWithinMs),
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (response.ok) return response.json();
  const { code } = await response.json().catch(() => ({}));
  const retryAfterMs = Number(response.headers.get('retry-after')) * 1_000 || 0;
  throw Object.assign(new Error(code), { code, status: response.status, retryAfterMs });
}

/** Whether the same request would be refused again. */
const isFinal = ({ status, code }) =>
  status >= 400 && status < 500 && ![408, 425, 429].includes(status) && !sessionOver.includes(code);

const everyMsOf = (seconds) => (seconds >= 1 ? Math.min(seconds, maxEverySeconds) : everySeconds) * 1_000;

/** The parts of a stretch that are in none of the known ones. */
function without(stretch, known) {
  let left = [stretch];
  for (const [start, end] of known)
    left = left.flatMap(([from, to]) =>
      end <= from || start >= to
        ? [[from, to]]
        : [
            [from, start],
            [end, to],
          ].filter(([first, last]) => first < last),
    );
  return left;
}

/** How the playing goes, between one heartbeat and the next: time to the first picture, time waited for data, failures. */
function observe(video) {
  let pressedAt;
  let startupMs;
  let started = false;
  let waitingSince;
  let waitedMs = 0;
  let errors = [];

  const since = (time) => Math.min(maxWaitMs, Math.round(performance.now() - time));
  function settleWait() {
    if (waitingSince !== undefined) waitedMs += since(waitingSince);
    waitingSince = undefined;
  }
  video.addEventListener('play', () => {
    if (!started) pressedAt = performance.now();
  });
  video.addEventListener('playing', () => {
    settleWait();
    if (started) return;
    started = true;
    if (pressedAt !== undefined) startupMs = since(pressedAt);
  });
  video.addEventListener('waiting', () => {
    if (started && !video.seeking) waitingSince ??= performance.now();
  });
  for (const name of ['pause', 'seeking', 'error']) video.addEventListener(name, settleWait);

  // Playing may have begun while this script was still on its way.
  if (!video.paused) started = video.readyState > HTMLMediaElement.HAVE_CURRENT_DATA;

  return {
    failed(code) {
      if (errors.length < maxErrors) errors.push(code);
    },
    hasNews: () => errors.length > 0,
    /** Everything since it was asked last. */
    take() {
      if (waitingSince !== undefined) {
        settleWait();
        waitingSince = performance.now();
      }
      const taken = {
        startup_ms: startupMs,
        rebuffer_ms: waitedMs > 0 ? Math.min(maxWaitMs, waitedMs) : undefined,
        errors: errors.length > 0 ? errors : undefined,
      };
      startupMs = undefined;
      waitedMs = 0;
      errors = [];
      return taken;
    },
  };
}

/**
 * Counts the watching of a video element: a session from the first time it is to play, a heartbeat every few seconds of
 * playing and one whenever it stops. `claims` gives what the player says of itself when it asks to play.
 */
export function countWatching(video, path, claims) {
  const player = observe(video);
  const told = [];
  let token;
  let seq = 0;
  // Heartbeats that were made and not answered yet; each keeps its number until it is.
  let unanswered = [];
  let everyMs = everyMsOf(everySeconds);
  let failures = 0;
  let timer;
  let telling = false;
  let refused = false;

  /** What was played and is in no heartbeat yet. */
  const untold = () =>
    Array.from({ length: video.played.length }, (_, at) =>
      [video.played.start(at), video.played.end(at)].map((seconds) => Math.round(seconds * 1_000)),
    )
      .filter(([from, to]) => from < to)
      .flatMap((stretch) => without(stretch, told));
  const hasNews = () => unanswered.length > 0 || player.hasNews() || untold().length > 0;

  function addHeartbeat() {
    const stretches = untold().slice(0, maxIntervals);
    told.push(...stretches);
    seq += 1;
    unanswered.push({
      seq,
      intervals: stretches.map(([from_ms, to_ms]) => ({ from_ms, to_ms })),
      position_ms: Math.round(video.currentTime * 1_000),
      player: player.take(),
    });
  }

  async function begin() {
    const said = claims();
    const body = { ...said, source: sourceOf(said.embed_origin) };
    const session = await ask(`${path}/watch-sessions`, body, false).catch((error) => {
      refused = isFinal(error);
      throw error;
    });
    token = session.session_token;
    everyMs = everyMsOf(session.heartbeat_seconds);
  }

  const drop = (heartbeat) => {
    unanswered = unanswered.filter((other) => other !== heartbeat);
  };

  async function send(heartbeat, keepalive) {
    try {
      const answer = await ask(`${path}/watch`, { session_token: token, ...heartbeat }, keepalive);
      everyMs = everyMsOf(answer.next_heartbeat_seconds);
      drop(heartbeat);
    } catch (error) {
      if (error.status === 404) refused = true;
      if (isFinal(error)) drop(heartbeat);
      throw error;
    }
  }

  // A session that has just begun is credited nothing yet, so its first heartbeat waits for the time to come.
  async function tellOnce() {
    if (token === undefined) return begin();
    if (unanswered.length === 0) addHeartbeat();
    while (unanswered.length > 0) await send(unanswered[0], false);
    failures = 0;
  }

  /** How long to wait after a failure. A session that is over is followed by a new one, with the same to tell. */
  function recover(error) {
    failures += 1;
    const waitMs = Math.max(error.retryAfterMs ?? 0, Math.min(maxRetryMs, retryMs * 2 ** (failures - 1)));
    if (!sessionOver.includes(error.code)) return waitMs;
    token = undefined;
    seq = 0;
    for (const heartbeat of unanswered) {
      seq += 1;
      heartbeat.seq = seq;
    }
    return failures === 1 ? 0 : waitMs;
  }

  async function tell() {
    clearTimeout(timer);
    timer = undefined;
    if (telling || refused) return;
    telling = true;
    let waitMs;
    try {
      await tellOnce();
      waitMs = everyMs;
    } catch (error) {
      waitMs = recover(error);
    }
    telling = false;
    if (!video.paused || hasNews()) wake(waitMs);
  }

  /** Tells in so many milliseconds, or when it is going to anyway. */
  function wake(inMs) {
    if (!telling) timer ??= setTimeout(tell, inMs);
  }

  const goOn = () => wake(token === undefined && failures === 0 ? 0 : everyMs);
  video.addEventListener('play', goOn);
  // While the API does not answer, stopping is no reason to ask it sooner.
  video.addEventListener('pause', () => {
    if (token !== undefined && failures === 0) tell();
  });
  const failed = (code) => {
    player.failed(code);
    goOn();
  };
  video.addEventListener('error', () =>
    failed(mediaErrors[(video.error?.code ?? 1) - 1] ?? 'MEDIA_ERR_UNKNOWN'),
  );
  window.addEventListener('pagehide', () => {
    if (token === undefined || refused) return;
    if (player.hasNews() || untold().length > 0) addHeartbeat();
    for (const heartbeat of unanswered) send(heartbeat, true).catch(() => undefined);
  });
  if (!video.paused) goOn();

  /** Reports a failure of the playing by its upper-case code. */
  return { failed };
}
