/** How often an export is tried before it is given up. */
export const maxExportAttempts = 5;

/** Where the exports of a user lie in the private bucket. */
export const exportFolder = (userId: string): string => `exports/${userId}/`;

export const exportKey = (userId: string, exportId: string): string =>
  `${exportFolder(userId)}${exportId}.zip`;

/** `Content-Disposition` of an export (RFC 6266); the name is plain ASCII. */
export const exportDisposition = (requestedAt: string): string =>
  `attachment; filename="social-flow-${requestedAt.slice(0, 10)}.zip"`;

/** What an export says about itself. */
export const readme = (facts: {
  readonly username: string;
  readonly madeAt: string;
  readonly files: readonly string[];
  readonly linksUntil: string;
}): string => `Your data at Social Flow
========================

Account: ${facts.username}
Made at: ${facts.madeAt} (UTC)

Each .jsonl file holds one JSON object a line. Ids are the bare UUIDs of the database. media.jsonl lists the original files
of your videos that are kept, with links that work until ${facts.linksUntil}; anybody who has a link can read the file.

What is left out: passwords, seeds, codes and keys, which are kept only as digests or sealed, and what other people do that
is not yours to see, such as who blocks you.

${facts.files.map((file) => `- ${file}`).join('\n')}
`;
