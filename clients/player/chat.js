// Shows what was said in chat while the film was recorded, in step with it (docs/chat.md). Whatever fails here, the film plays on.

// Whole minutes, which caches share.
const minuteMs = 60_000;
const askNextMs = 15_000;
const retryMs = 10_000;
const answerWithinMs = 15_000;
const shownLines = 30;
// What nobody could read anyway: 2,500 events of a minute.
const maxPages = 5;

async function load(path, minute) {
  const window = `from_ms=${minute * minuteMs}&to_ms=${(minute + 1) * minuteMs}&limit=500`;
  const events = [];
  let isRecording = false;
  let cursor = '';
  for (let page = 0; page < maxPages && cursor !== null; page += 1) {
    const from = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const response = await fetch(`${path}/chat?${window}${from}`, {
      credentials: 'omit',
      signal: AbortSignal.timeout(answerWithinMs),
    });
    if (response.status === 404) return { events: [], isRecording: false };
    if (!response.ok) throw new Error(`the chat answers ${response.status}`);
    const answer = await response.json();
    events.push(...answer.events);
    isRecording = answer.is_recording;
    cursor = answer.next_cursor;
  }
  return { events, isRecording };
}

/** A line of the chat, of text alone: nothing anybody wrote becomes markup. */
function lineOf({ event }) {
  const line = document.createElement('li');
  const name = document.createElement('b');
  name.textContent = event.author.name;
  const words = event.fragments.map((fragment) => fragment.emoji ?? fragment.text).join('');
  line.append(name, ` ${words}`);
  return line;
}

const isLine = ({ event }) => event.type === 'message' || event.type === 'announcement';

/** Fills `list` as `video` plays, from when it does; `button` shows and hides it. Both stay hidden for films that were never live. */
export function followChat(video, path, { list, button }) {
  const minutes = new Map();
  let last;
  let over = false;

  async function fetchMinute(minute) {
    minutes.set(minute, []);
    try {
      const { events, isRecording } = await load(path, minute);
      over ||= !isRecording;
      minutes.set(minute, events.filter(isLine));
      if (!over && button.hidden) {
        button.hidden = false;
        list.hidden = false;
      }
      show();
    } catch {
      setTimeout(() => minutes.delete(minute), retryMs);
    }
  }

  function show() {
    const nowMs = video.currentTime * 1_000;
    const minute = Math.floor(nowMs / minuteMs);
    const lines = [minute - 1, minute]
      .flatMap((each) => minutes.get(each) ?? [])
      .filter(({ offset_ms: offsetMs }) => offsetMs <= nowMs)
      .slice(-shownLines);
    const now = `${lines[0]?.seq} ${lines.at(-1)?.seq} ${lines.length}`;
    if (now === last) return;
    last = now;
    list.replaceChildren(...lines.map(lineOf));
  }

  function follow() {
    if (over) return;
    const nowMs = video.currentTime * 1_000;
    const minute = Math.floor(nowMs / minuteMs);
    const wanted = [minute, Math.floor((nowMs + askNextMs) / minuteMs)];
    // After a jump the minute before is wanted, too; what lies further back is not any more.
    if (minute > 0) wanted.push(minute - 1);
    for (const each of minutes.keys()) if (each < minute - 1 || each > minute + 1) minutes.delete(each);
    for (const each of wanted) if (!minutes.has(each)) fetchMinute(each);
    show();
  }

  for (const event of ['playing', 'timeupdate', 'seeked']) video.addEventListener(event, follow);
  button.addEventListener('click', () => {
    list.hidden = !list.hidden;
    button.setAttribute('aria-expanded', String(!list.hidden));
  });
}
