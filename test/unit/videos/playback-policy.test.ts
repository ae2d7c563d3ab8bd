import { describe, expect, it } from 'vitest';
import {
  type Circumstances,
  hasOpenStills,
  isRestricted,
  mayEmbed,
  type PlaybackRules,
  refusePlayback,
  type Standing,
  type VideoAccess,
} from '../../../src/modules/videos/policy/playback-policy.ts';

const nowMs = Date.UTC(2026, 0, 1);

const film: VideoAccess & PlaybackRules = {
  state: 'published',
  deleted: false,
  replacement: false,
  visibility: 'public',
  publishAtMs: null,
  ownerActive: true,
  passwordProtected: false,
  ageRestricted: false,
  geoMode: null,
  geoCountries: [],
  embedMode: 'anywhere',
  embedDomains: [],
};
const stranger: Standing = { owner: false, blocked: false, follows: false, member: false };
const owner: Standing = { ...stranger, owner: true };
const here: Circumstances = { unlocked: false, ofAge: undefined, country: 'DE', embedHost: undefined };

const refusal = (
  video: Partial<VideoAccess & PlaybackRules>,
  circumstances: Partial<Circumstances> = {},
  viewer: Standing = stranger,
) => refusePlayback({ ...film, ...video }, viewer, { ...here, ...circumstances }, nowMs);

describe('who may play a video', () => {
  it('lets everybody play what is open', () => {
    expect(refusal({})).toBeUndefined();
    expect(refusal({ visibility: 'unlisted' }, { country: undefined })).toBeUndefined();
  });

  it('asks for the password, but not of the owner', () => {
    expect(refusal({ passwordProtected: true })).toBe('locked');
    expect(refusal({ passwordProtected: true }, { unlocked: true })).toBeUndefined();
    expect(refusal({ passwordProtected: true }, {}, owner)).toBeUndefined();
  });

  it('keeps to countries, and holds an unknown one for none of those allowed', () => {
    const allow = { geoMode: 'allow', geoCountries: ['DE', 'FR'] } as const;
    const deny = { geoMode: 'deny', geoCountries: ['DE', 'FR'] } as const;
    const answers = (rules: Partial<PlaybackRules>) =>
      ['DE', 'US', undefined, 'XX', 'T1'].map((country) => refusal(rules, { country }));
    const no = 'country_refused';
    expect(answers(allow)).toEqual([undefined, no, no, no, no]);
    expect(answers(deny)).toEqual([no, undefined, undefined, undefined, undefined]);
    // Nobody gets in by a list that names what is no country.
    expect(answers({ geoMode: 'allow', geoCountries: ['XX', 'T1'] })).toEqual([no, no, no, no, no]);
    expect(refusal(allow, { country: 'US' }, owner)).toBeUndefined();
  });

  it('shows what is for adults only to those who have stated to be', () => {
    expect(refusal({ ageRestricted: true })).toBe('age_unknown');
    expect(refusal({ ageRestricted: true }, { ofAge: false })).toBe('under_age');
    expect(refusal({ ageRestricted: true }, { ofAge: true })).toBeUndefined();
  });

  it('plays in other pages only where the owner lets it', () => {
    const listed = { embedMode: 'listed', embedDomains: ['example.com'] } as const;
    expect(refusal(listed)).toBeUndefined();
    for (const host of ['example.com', 'www.example.com', 'a.b.example.com'])
      expect(refusal(listed, { embedHost: host })).toBeUndefined();
    for (const host of ['badexample.com', 'example.com.evil.test', 'com', 'example.org'])
      expect(refusal(listed, { embedHost: host })).toBe('embed_refused');
    expect(refusal({ embedMode: 'nowhere' }, { embedHost: 'example.com' })).toBe('embed_refused');
    expect(mayEmbed({ embedMode: 'nowhere', embedDomains: ['example.com'] }, undefined)).toBe(true);
  });

  it('gives nothing away about what the viewer may not see', () => {
    const locked = { passwordProtected: true, geoMode: 'deny', geoCountries: ['DE'] } as const;
    expect(refusal({ ...locked, visibility: 'private' })).toBe('not_found');
    expect(refusal({ ...locked, publishAtMs: nowMs + 1 })).toBe('not_found');
    expect(refusal({ ...locked, publishAtMs: nowMs })).toBe('country_refused');
  });

  it('tells owners that theirs is not ready', () => {
    expect(refusal({ state: 'transcoding' }, {}, owner)).toBe('not_ready');
    expect(refusal({ deleted: true }, {}, owner)).toBe('not_found');
    expect(refusal({ replacement: true }, {}, owner)).toBe('not_found');
  });
});

describe('what a video needs', () => {
  it('is a short signature where not everybody may play', () => {
    expect(isRestricted(film)).toBe(false);
    expect(isRestricted({ ...film, visibility: 'unlisted' })).toBe(false);
    for (const change of [
      { visibility: 'private' },
      { visibility: 'followers' },
      { visibility: 'members' },
      { passwordProtected: true },
      { ageRestricted: true },
      { geoMode: 'deny' },
    ] as const)
      expect(isRestricted({ ...film, ...change })).toBe(true);
  });

  it('is signed stills where not everybody may look', () => {
    expect(hasOpenStills(film)).toBe(true);
    expect(hasOpenStills({ ...film, visibility: 'members' })).toBe(false);
    expect(hasOpenStills({ ...film, passwordProtected: true })).toBe(false);
    expect(hasOpenStills({ ...film, ageRestricted: true })).toBe(false);
  });
});
