/** Every flag code reads, with what holds while the flag document says nothing about it. */
export const flagDefinitions = {
  videoUploads: {
    default: true,
    doc: 'Whether a user may start uploading videos. Uploads already begun go on.',
  },
  followBackfill: {
    default: true,
    doc: "Whether following somebody puts their latest posts into the follower's home feed.",
  },
} as const satisfies Readonly<Record<string, { readonly default: boolean; readonly doc: string }>>;

export type FlagName = keyof typeof flagDefinitions;
