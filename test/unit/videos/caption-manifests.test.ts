import { describe, expect, it } from 'vitest';
import {
  type ManifestTrack,
  manifestVersion,
  trackPlaylist,
  withDashTracks,
  withHlsTracks,
} from '../../../src/modules/videos/policy/caption-manifests.ts';
import { imagePlaylistOf, storyboardOf } from '../../../src/modules/videos/policy/storyboard.ts';

const track: ManifestTrack = {
  language: 'pt-BR',
  label: 'Português "BR" <&>',
  kind: 'captions',
  fileName: 'pt-BR-1.vtt',
  playlistName: 'pt-BR-1.m3u8',
};
const master = `#EXTM3U
#EXT-X-VERSION:7
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="Audio 1",URI="video_audio.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO="audio"
video_240p.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=2,AUDIO="audio"
video_360p.m3u8
#EXT-X-IMAGE-STREAM-INF:BANDWIDTH=3,RESOLUTION=1560x704,CODECS="jpeg",URI="video_tiles.m3u8"
`;

describe('manifests with captions', () => {
  it('name the tracks in HLS, and every stream has them', () => {
    const lines = withHlsTracks(master, [track]).split('\n');
    expect(lines[3]).toBe(
      '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="captions",NAME="Português  BR  <&>",LANGUAGE="pt-BR",DEFAULT=NO,AUTOSELECT=YES,FORCED=NO,CHARACTERISTICS="public.accessibility.transcribes-spoken-dialog,public.accessibility.describes-music-and-sound",URI="pt-BR-1.m3u8"',
    );
    expect(lines.filter((line) => line.endsWith(',SUBTITLES="captions"'))).toHaveLength(2);
    expect(withHlsTracks(master, [])).toBe(master);
    // Everything that was there is there still, in its order.
    const old = master.split('\n');
    const kept = lines
      .filter((line) => !line.includes('TYPE=SUBTITLES'))
      .map((line) => line.replace(',SUBTITLES="captions"', ''));
    expect(kept).toEqual(old);
  });

  it('join the group a stream has already', () => {
    const own = master.replaceAll(',AUDIO="audio"', ',AUDIO="audio",SUBTITLES="subs"');
    const joined = withHlsTracks(own, [track]);
    expect(joined).toContain('TYPE=SUBTITLES,GROUP-ID="subs"');
    expect(joined).not.toContain('SUBTITLES="captions"');
  });

  it('play a track as one file as long as the film', () => {
    expect(trackPlaylist(track, 61_500)).toBe(
      '#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:62\n#EXT-X-MEDIA-SEQUENCE:1\n#EXT-X-PLAYLIST-TYPE:VOD\n#EXTINF:61.500,\npt-BR-1.vtt\n#EXT-X-ENDLIST\n',
    );
  });

  it('name the tracks in DASH, escaped, in every period', () => {
    const mpd = '<MPD><Period id="1">\n  </Period><Period id="2"></Period></MPD>';
    const named = withDashTracks(mpd, [track]);
    expect(named.match(/<AdaptationSet /g)).toHaveLength(2);
    expect(named).toContain('lang="pt-BR"');
    expect(named).toContain('<Label>Português &quot;BR&quot; &lt;&amp;&gt;</Label>');
    expect(named).toContain('<Role schemeIdUri="urn:mpeg:dash:role:2011" value="caption"/>');
    expect(named).toContain('<BaseURL>pt-BR-1.vtt</BaseURL>');
    expect(withDashTracks(mpd, [])).toBe(mpd);
  });

  it('have an address for each change', () => {
    expect(manifestVersion('media/a/v1/video.m3u8', 3)).toBe('media/a/v1/video-c3.m3u8');
    expect(manifestVersion('media/a/v1/video-c3.m3u8', 4)).toBe('media/a/v1/video-c4.m3u8');
    expect(manifestVersion('media/a/v1/video-c3.mpd', 0)).toBe('media/a/v1/video.mpd');
  });
});

describe('the index of scrub pictures', () => {
  const sheets = (...seconds: number[]) =>
    `#EXTM3U\n#EXT-X-IMAGES-ONLY\n${seconds
      .map(
        (length, index) =>
          `#EXTINF:${length},\n#EXT-X-TILES:RESOLUTION=312x176,LAYOUT=5x4,DURATION=10\nvideo_tiles_00000000${index + 1}.jpg\n`,
      )
      .join('')}#EXT-X-ENDLIST\n`;

  it('says for all of the film which part of which sheet shows it', () => {
    expect(imagePlaylistOf(master)).toBe('video_tiles.m3u8');
    const index = storyboardOf(sheets(200, 25), 225_000) ?? '';
    const cues = index.trim().split('\n\n').slice(1);
    expect(cues).toHaveLength(23);
    expect(cues[0]).toBe('00:00:00.000 --> 00:00:10.000\nvideo_tiles_000000001.jpg#xywh=0,0,312,176');
    expect(cues[6]).toBe('00:01:00.000 --> 00:01:10.000\nvideo_tiles_000000001.jpg#xywh=312,176,312,176');
    expect(cues[20]).toBe('00:03:20.000 --> 00:03:30.000\nvideo_tiles_000000002.jpg#xywh=0,0,312,176');
    expect(cues.at(-1)).toContain('--> 00:03:45.000');
  });

  it('is none where there are no pictures, and never leads elsewhere', () => {
    expect(imagePlaylistOf('#EXTM3U\n')).toBeUndefined();
    expect(
      imagePlaylistOf('#EXT-X-IMAGE-STREAM-INF:BANDWIDTH=1,URI="../../other/secret.m3u8"'),
    ).toBeUndefined();
    expect(imagePlaylistOf('#EXT-X-IMAGE-STREAM-INF:URI="https://elsewhere.example/x"')).toBeUndefined();
    expect(storyboardOf('#EXTM3U\n', 1_000)).toBeUndefined();
    expect(storyboardOf(sheets(10).replace('LAYOUT=5x4', 'LAYOUT=0x4'), 10_000)).toBeUndefined();
    expect(storyboardOf(sheets(10).replace('video_tiles_000000001.jpg', '..'), 10_000)).toBeUndefined();
  });
});
