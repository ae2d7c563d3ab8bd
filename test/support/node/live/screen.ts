import type HlsPlayer from 'hls.js';

/** What the page is told. */
export interface WatchOrder {
  readonly url: string;
  readonly lowLatency: boolean;
  /** What every request must have as its query, if its address has none. */
  readonly query: string;
  /** What the camera sent, in pixels, whatever rendition is shown. */
  readonly width: number;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

/** What the page keeps: the age of each frame it has shown, in milliseconds. */
export interface Watched {
  readonly ages: number[];
  readonly errors: string[];
  stalls: number;
  firstFrameMs: number | undefined;
}

/** Runs in the page: plays a stream, reads the clock in each frame that is shown, and keeps how old it is. */
export function watch({ url, lowLatency, query, width: sentWidth, points }: WatchOrder): void {
  const { Hls } = window as unknown as { Hls: typeof HlsPlayer };
  const startedAt = performance.now();
  const watched: Watched = { ages: [], errors: [], stalls: 0, firstFrameMs: undefined };
  Object.assign(window, { watched });
  const video = document.querySelector('video') as HTMLVideoElement;
  const canvas = document.createElement('canvas');
  const drawn = canvas.getContext('2d', { willReadFrequently: true }) as CanvasRenderingContext2D;
  const look = (): void => {
    canvas.width = sentWidth;
    canvas.height = 24;
    drawn.drawImage(video, 0, 0, sentWidth, (sentWidth * video.videoHeight) / video.videoWidth);
    const { data, width } = drawn.getImageData(0, 0, canvas.width, canvas.height);
    const shown = points.reduce(
      (sum, { x, y }, bit) => sum + ((data[(y * width + x) * 4] ?? 0) > 127 ? 2 ** bit : 0),
      0,
    );
    const span = 2 ** points.length;
    watched.firstFrameMs ??= performance.now() - startedAt;
    watched.ages.push((((Date.now() - shown) % span) + span) % span);
    video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);
  video.addEventListener('waiting', () => {
    watched.stalls += 1;
  });
  const hls = new Hls({
    lowLatencyMode: lowLatency,
    enableWorker: false,
    xhrSetup: (request, address) => {
      if (query !== '' && !address.includes('?')) request.open('GET', `${address}?${query}`, true);
    },
  });
  hls.on(Hls.Events.ERROR, (_, { fatal, type, details }) => {
    if (fatal) watched.errors.push(`${type} ${details}`);
  });
  hls.on(Hls.Events.MANIFEST_PARSED, () => void video.play());
  hls.loadSource(url);
  hls.attachMedia(video);
}
