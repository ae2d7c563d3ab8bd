// Runs in the browser of the proof: plays one film with hls.js or dash.js, slowly enough to see what it does.
const video = document.querySelector('video');
// The least that Chromium plays at.
const SLOWEST_RATE = 1 / 16;

const until = (condition, what) =>
  new Promise((resolve, reject) => {
    const startedAt = performance.now();
    const look = () => {
      if (condition()) resolve();
      else if (performance.now() - startedAt > 60_000)
        reject(
          new Error(
            `waited in vain for ${what} at ${video.currentTime} s, ${video.videoWidth}x${video.videoHeight}, ${document.visibilityState}, ready ${video.readyState}, seeking ${video.seeking}, paused ${video.paused}, buffered to ${video.buffered.length > 0 ? video.buffered.end(0) : 0} s`,
          ),
        );
      else setTimeout(look, 40);
    };
    look();
  });

/** Plays from the first quality, changes to the last on the way, and goes on to the end. */
async function watch(driver, wanted) {
  const startedAt = performance.now();
  const failed = new Promise((_, reject) => driver.onFatal(reject));
  const watched = (async () => {
    await driver.start();
    if (wanted.picture) await new Promise((resolve) => video.requestVideoFrameCallback(resolve));
    else await until(() => video.currentTime > 0, 'sound');
    const firstFrameMs = Math.round(performance.now() - startedAt);
    const first = `${video.videoWidth}x${video.videoHeight}`;
    if (wanted.to !== undefined) {
      // As slow as it goes, so that the shortest film lasts until its other quality has come.
      video.playbackRate = SLOWEST_RATE;
      driver.switchTo(wanted.to);
      let nudgedAt = performance.now();
      await until(() => {
        if (`${video.videoWidth}x${video.videoHeight}` === wanted.to) return true;
        if (video.ended || (!video.seeking && performance.now() - nudgedAt > 5_000)) {
          nudgedAt = performance.now();
          video.currentTime = video.ended ? 0 : video.currentTime;
          video.play();
        }
        return false;
      }, `a switch to ${wanted.to}`);
      video.playbackRate = 1;
    }
    const last = `${video.videoWidth}x${video.videoHeight}`;
    await video.play();
    await until(() => video.ended, 'the end');
    return { firstFrameMs, first, last, seconds: video.currentTime, texts: driver.texts() };
  })();
  try {
    return await Promise.race([watched, failed]);
  } finally {
    driver.stop();
    video.removeAttribute('src');
    video.load();
  }
}

window.playHls = (url, wanted) => {
  const hls = new window.Hls({ startLevel: 0, capLevelToPlayerSize: false });
  const level = (size) => hls.levels.findIndex(({ width, height }) => `${width}x${height}` === size);
  return watch(
    {
      onFatal: (reject) =>
        hls.on(window.Hls.Events.ERROR, (_, { fatal, type, details, error }) => {
          if (fatal) reject(new Error(`${type} ${details} ${error?.message ?? ''}`));
        }),
      start: async () => {
        hls.loadSource(url);
        hls.attachMedia(video);
        await new Promise((resolve) => hls.on(window.Hls.Events.MANIFEST_PARSED, resolve));
        if (wanted.to !== undefined) hls.currentLevel = level(wanted.from);
        await video.play();
      },
      switchTo: (size) => {
        hls.currentLevel = level(size);
      },
      texts: () => hls.allSubtitleTracks.map(({ lang }) => lang),
      stop: () => hls.destroy(),
    },
    wanted,
  );
};

window.playDash = (url, wanted) => {
  const player = window.dashjs.MediaPlayer().create();
  player.updateSettings({
    debug: { logLevel: 0 },
    streaming: {
      abr: { autoSwitchBitrate: { video: false }, limitBitrateByPortal: false, initialBitrate: { video: 1 } },
    },
  });
  const idOf = (size) =>
    player.getRepresentationsByType('video').find(({ width, height }) => `${width}x${height}` === size)?.id;
  return watch(
    {
      onFatal: (reject) =>
        player.on(window.dashjs.MediaPlayer.events.ERROR, ({ error }) =>
          reject(new Error(`${error?.code} ${error?.message ?? error}`)),
        ),
      start: async () => {
        player.initialize(video, url, true);
      },
      switchTo: (size) => player.setRepresentationForTypeById('video', idOf(size), true),
      texts: () => player.getTracksFor('text').map(({ lang }) => lang),
      stop: () => player.destroy(),
    },
    wanted,
  );
};
