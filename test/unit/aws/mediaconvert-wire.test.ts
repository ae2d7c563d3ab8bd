import { describe, expect, it } from 'vitest';
import { toWire } from '../../../src/integrations/aws/mediaconvert-wire.ts';

describe('MediaConvert JSON on the wire', () => {
  it('lowers the first letter of members, at every depth and in lists', () => {
    expect(
      toWire({
        ClientRequestToken: 'Token',
        Settings: {
          OutputGroups: [{ OutputGroupSettings: { Type: 'CMAF_GROUP_SETTINGS' } }, { Name: null }],
        },
        Priority: 0,
      }),
    ).toEqual({
      clientRequestToken: 'Token',
      settings: { outputGroups: [{ outputGroupSettings: { type: 'CMAF_GROUP_SETTINGS' } }, { name: null }] },
      priority: 0,
    });
  });

  it('leaves the keys of maps alone but not what is in them', () => {
    expect(
      toWire({
        AudioSelectors: { 'Audio Selector 1': { DefaultSelection: 'DEFAULT' } },
        UserMetadata: { Video_Id: 'X', UserMetadata: 'Y' },
        Tags: { Team: 'Media' },
      }),
    ).toEqual({
      audioSelectors: { 'Audio Selector 1': { defaultSelection: 'DEFAULT' } },
      userMetadata: { Video_Id: 'X', UserMetadata: 'Y' },
      tags: { Team: 'Media' },
    });
  });
});
