/** A column whose values are sealed by `src/shared/crypto/envelope.ts` for their row. */
export interface SealedColumn {
  readonly table: string;
  readonly column: string;
  /** The column whose value is `rowId` of the value's place. */
  readonly rowId: string;
  /** The place the value is sealed for, where it is not this column: such a value moves there as it is. */
  readonly sealedFor?: { readonly table: string; readonly column: string };
}

/**
 * Every sealed column of the primary. `npm run secrets:reencrypt` goes through them, so a column that is missing here would
 * become unreadable when its key goes; a test holds the list against the tables.
 */
export const sealedColumns: readonly SealedColumn[] = [
  { table: 'totp_factors', column: 'sealed_secret', rowId: 'user_id' },
  { table: 'refresh_tokens', column: 'replay_blob', rowId: 'id' },
  { table: 'identities', column: 'sealed_refresh_token', rowId: 'id' },
  { table: 'oauth_flows', column: 'sealed_grant', rowId: 'id' },
  { table: 'oauth_flows', column: 'sealed_profile', rowId: 'id' },
  { table: 'video_imports', column: 'sealed_url', rowId: 'upload_id' },
  { table: 'birth_dates', column: 'sealed_date', rowId: 'user_id' },
  { table: 'phone_factors', column: 'sealed_number', rowId: 'id' },
  {
    table: 'sms_codes',
    column: 'sealed_number',
    rowId: 'phone_id',
    sealedFor: { table: 'phone_factors', column: 'sealed_number' },
  },
  { table: 'webhook_endpoints', column: 'sealed_secret', rowId: 'id' },
  {
    table: 'webhook_endpoints',
    column: 'sealed_old_secret',
    rowId: 'id',
    sealedFor: { table: 'webhook_endpoints', column: 'sealed_secret' },
  },
];
