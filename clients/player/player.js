// The player of the page /embed/<video>: asks to play, plays, and asks again before the signature runs out. No cookies.

const video = document.getElementById('player');
const message = document.getElementById('message');
const text = document.getElementById('text');
const form = document.getElementById('unlock');
const path = `/v1/videos/${document.body.dataset.video}`;
const renewBeforeMs = 60_000;

let unlockToken;
let query = '';

/** The site in whose page this one stands, as far as the browser tells. */
function embedOrigin() {
  if (window.parent === window) return undefined;
  const [ancestor] = window.location.ancestorOrigins ?? [];
  if (ancestor !== undefined) return ancestor;
  return URL.canParse(document.referrer) ? new URL(document.referrer).origin : undefined;
}

async function post(address, body) {
  const response = await fetch(address, {
    method: 'POST',
    credentials: 'omit',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) throw Object.assign(new Error(answer.title), { code: answer.code });
  return answer;
}

/** What the player says of itself wherever it is decided whether it may play. */
const claims = () => ({ unlock_token: unlockToken, embed_origin: embedOrigin() });

const requestPlayback = () => post(`${path}/playback`, claims());

// Loaded by itself, so that the film plays whether or not the counting does.
const counting = import('/player/watching.js')
  .then(({ countWatching }) => countWatching(video, path, claims))
  .catch(() => undefined);

import('/player/chat.js')
  .then(({ followChat }) =>
    followChat(video, path, {
      list: document.getElementById('chat'),
      button: document.getElementById('chat-button'),
    }),
  )
  .catch(() => undefined);

/** A failure that hls.js gave up on, as the API has codes: `HLS_MANIFEST_LOAD_ERROR`. Those of the browser are told by `video`. */
function report(details) {
  if (video.error !== null) return;
  const code = `HLS_${details.replace(/[A-Z]/g, '_$&').toUpperCase()}`.slice(0, 40);
  counting.then((watching) => watching?.failed(code));
}

/** An address of a file of the video with the signature of now. */
function signed(url) {
  return query === '' ? url : `${url.split('?')[0]}?${query}`;
}

function show(words, withForm = false) {
  text.textContent = words;
  form.hidden = !withForm;
  message.hidden = false;
}

function keepSigned(expiresAt) {
  if (expiresAt === null) return;
  const inMs = Math.max(5_000, Date.parse(expiresAt) - Date.now() - renewBeforeMs);
  setTimeout(async () => {
    try {
      const playback = await requestPlayback();
      query = playback.query;
      keepSigned(playback.expires_at);
    } catch (error) {
      if (error.code === undefined) return keepSigned(expiresAt);
      video.pause();
      refuse(error);
    }
  }, inMs);
}

function start(playback) {
  message.hidden = true;
  query = playback.query;
  keepSigned(playback.expires_at);
  if (!window.Hls?.isSupported()) {
    video.src = playback.hls_url;
    return;
  }
  const hls = new window.Hls({
    // A worker would need scripts from blob: addresses, which the policy of the page refuses.
    enableWorker: false,
    xhrSetup: (request, url) => request.open('GET', signed(url), true),
  });
  hls.on(window.Hls.Events.ERROR, (_, data) => {
    if (!data.fatal) return;
    report(data.details);
    if (data.type === window.Hls.ErrorTypes.MEDIA_ERROR) hls.recoverMediaError();
    else show('This video cannot be played just now.');
  });
  hls.loadSource(playback.hls_url);
  hls.attachMedia(video);
}

function refuse(error) {
  if (error.code === 'videos.locked') show('This video has a password.', true);
  else show(error.code === undefined ? 'This video cannot be reached just now.' : error.message);
}

async function play() {
  try {
    start(await requestPlayback());
  } catch (error) {
    refuse(error);
  }
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  try {
    const answer = await post(`${path}/unlock`, { password: new FormData(form).get('password') });
    unlockToken = answer.unlock_token;
    await play();
  } catch (error) {
    show(error.message, true);
  }
});

play();
