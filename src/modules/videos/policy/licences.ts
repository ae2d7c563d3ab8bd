interface Licence {
  readonly title: string;
  readonly url: string | null;
}

const creativeCommons = (id: string, title: string): Licence => ({
  title: `Creative Commons ${title} 4.0`,
  url: `https://creativecommons.org/licenses/${id}/4.0/`,
});

/** Under what terms others may use a video. The ids stand in the database: they never change their meaning. */
export const licences = {
  standard: { title: 'All rights reserved', url: null },
  'cc-by': creativeCommons('by', 'Attribution'),
  'cc-by-sa': creativeCommons('by-sa', 'Attribution-ShareAlike'),
  'cc-by-nd': creativeCommons('by-nd', 'Attribution-NoDerivatives'),
  'cc-by-nc': creativeCommons('by-nc', 'Attribution-NonCommercial'),
  'cc-by-nc-sa': creativeCommons('by-nc-sa', 'Attribution-NonCommercial-ShareAlike'),
  'cc-by-nc-nd': creativeCommons('by-nc-nd', 'Attribution-NonCommercial-NoDerivatives'),
  cc0: {
    title: 'CC0: no rights reserved',
    url: 'https://creativecommons.org/publicdomain/zero/1.0/',
  },
} as const satisfies Readonly<Record<string, Licence>>;

export type LicenceId = keyof typeof licences;

export const licenceIds = Object.keys(licences) as [LicenceId, ...LicenceId[]];
