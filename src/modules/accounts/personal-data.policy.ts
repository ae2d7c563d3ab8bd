/**
 * What is done with every table of the database when a user asks for their data or for their erasure. The export, the erasure
 * and the test that finds tables and columns missing here all read this list.
 */

/** One file of an export: rows of one table, as JSON lines. */
export interface ExportSection {
  /** Name of the file, without its ending. */
  readonly file: string;
  /** The column that holds the id of the user whose rows these are. */
  readonly by: string;
  readonly byType?: 'uuid' | 'text';
  /** What orders the rows of one user, and tells each from the others. */
  readonly key: string;
  readonly keyType?: 'uuid' | 'text' | 'smallint';
  readonly columns: readonly string[];
  /** Rows are left out unless this column is, or is not, null. */
  readonly only?: { readonly column: string; readonly is: 'null' | 'not null' };
  /** A column sealed for the row that `rowId` names: shown in clear as `as`, without `rowId`. */
  readonly opened?: { readonly column: string; readonly rowId: string; readonly as: string };
}

export type Erasure =
  /** Rows whose `column` is the user are deleted. */
  | { readonly kind: 'rows'; readonly columns: readonly string[] }
  /** A foreign key deletes them with rows of another table. */
  | { readonly kind: 'cascade'; readonly from: string }
  /** A step of its own, in usecases/erase-account.ts. */
  | { readonly kind: 'step'; readonly step: string }
  | { readonly kind: 'kept'; readonly reason: string };

export interface PersonalTable {
  readonly table: string;
  readonly database: 'primary' | 'shards';
  /** Every column that holds the id of a user. */
  readonly userColumns: readonly string[];
  readonly exported: readonly ExportSection[];
  /** Why a column stands in no section, by column; `*` for the whole table. */
  readonly withheld: Readonly<Record<string, string>>;
  readonly erased: Erasure;
}

const secret = 'a secret, or the digest of one';
const internal = 'bookkeeping of the platform that says nothing about the user';
const shown = 'the same for every row: the user';

export const personalTables: readonly PersonalTable[] = [
  {
    table: 'users',
    database: 'primary',
    userColumns: [],
    exported: [
      {
        file: 'account',
        by: 'id',
        key: 'id',
        columns: [
          'username',
          'email',
          'email_verified_at',
          'display_name',
          'bio',
          'website',
          'avatar_key',
          'roles',
          'status',
          'created_at',
          'updated_at',
          'deactivated_at',
          'deletion_due_at',
        ],
      },
    ],
    withheld: {
      id: shown,
      username_key: 'made of username',
      email_key: 'made of email',
      password_hash: secret,
      token_epoch: internal,
    },
    erased: { kind: 'step', step: 'identity' },
  },
  {
    table: 'user_counters',
    database: 'primary',
    userColumns: ['user_id'],
    exported: [
      { file: 'counters', by: 'user_id', key: 'user_id', columns: ['followers', 'following', 'posts'] },
    ],
    withheld: { user_id: shown },
    erased: { kind: 'step', step: 'identity' },
  },
  {
    table: 'birth_dates',
    database: 'primary',
    userColumns: ['user_id'],
    exported: [
      {
        file: 'birth_date',
        by: 'user_id',
        key: 'user_id',
        columns: ['user_id', 'sealed_date', 'stated_at'],
        opened: { column: 'sealed_date', rowId: 'user_id', as: 'birth_date' },
      },
    ],
    withheld: {},
    erased: { kind: 'rows', columns: ['user_id'] },
  },
  {
    table: 'username_changes',
    database: 'primary',
    userColumns: ['user_id'],
    exported: [
      {
        file: 'username_changes',
        by: 'user_id',
        key: 'id',
        columns: ['old_username', 'new_username', 'changed_at'],
      },
    ],
    withheld: { id: internal, user_id: shown },
    erased: { kind: 'rows', columns: ['user_id'] },
  },
  {
    table: 'username_reservations',
    database: 'primary',
    userColumns: ['user_id'],
    exported: [],
    withheld: { '*': 'digests of names that username_changes shows in full' },
    erased: {
      kind: 'kept',
      reason: 'a digest of the name, until nobody could take it for the former owner any more',
    },
  },
  {
    table: 'account_deletions',
    database: 'primary',
    userColumns: ['user_id'],
    exported: [],
    withheld: { '*': 'exists only while and after an account is erased' },
    erased: { kind: 'kept', reason: 'proof that and when the account was erased' },
  },
  {
    table: 'data_exports',
    database: 'primary',
    userColumns: ['user_id'],
    exported: [
      {
        file: 'exports',
        by: 'user_id',
        key: 'id',
        columns: ['state', 'size_bytes', 'requested_at', 'finished_at', 'expires_at', 'failure_code'],
      },
    ],
    withheld: {
      id: internal,
      user_id: shown,
      progress_percent: internal,
      attempts: internal,
      run_id: internal,
      claimed_until: internal,
      object_key: internal,
    },
    erased: { kind: 'step', step: 'exports' },
  },
  {
    table: 'sessions',
    database: 'primary',
    userColumns: ['user_id'],
    exported: [
      {
        file: 'sessions',
        by: 'user_id',
        key: 'id',
        columns: [
          'amr',
          'auth_time',
          'user_agent',
          'device_name',
          'ip',
          'country',
          'created_at',
          'last_used_at',
          'expires_at',
          'revoked_at',
          'revoked_reason',
        ],
      },
    ],
    withheld: { id: 'names a login to the session guard', user_id: shown },
    erased: { kind: 'rows', columns: ['user_id'] },
  },
  {
    table: 'mfa_challenges',
    database: 'primary',
    userColumns: ['user_id'],
    exported: [],
    withheld: { '*': 'logins that owe a second factor, for five minutes; the security log shows them' },
    erased: { kind: 'rows', columns: ['user_id'] },
  },
  {
    table: 'login_networks',
    database: 'primary',
    userColumns: ['user_id'],
    exported: [],
    withheld: { '*': 'keyed digests of addresses that sessions shows in full' },
    erased: { kind: 'rows', columns: ['user_id'] },
  },
  {
    table: 'account_tokens',
    database: 'primary',
    userColumns: ['user_id'],
    exported: [
      {
        file: 'mailed_links',
        by: 'user_id',
        key: 'id',
        columns: ['purpose', 'email', 'requested_at', 'sent_at', 'expires_at', 'used_at'],
      },
    ],
    withheld: { id: internal, user_id: shown, token_hash: secret },
    erased: { kind: 'rows', columns: ['user_id'] },
  },
  {
    table: 'identities',
    database: 'primary',
    userColumns: ['user_id'],
    exported: [
      {
        file: 'linked_providers',
        by: 'user_id',
        key: 'id',
        columns: ['provider', 'subject', 'email', 'created_at', 'last_used_at'],
      },
    ],
    withheld: { id: internal, user_id: shown, sealed_refresh_token: secret },
    // After the step `providers`, which needs the tokens in them.
    erased: { kind: 'rows', columns: ['user_id'] },
  },
  {
    table: 'oauth_flows',
    database: 'primary',
    userColumns: ['user_id'],
    exported: [],
    withheld: { '*': 'trips to a provider and back, for minutes; linked_providers shows what came of them' },
    erased: { kind: 'rows', columns: ['user_id'] },
  },
  {
    table: 'totp_factors',
    database: 'primary',
    userColumns: ['user_id'],
    exported: [
      {
        file: 'authenticator_apps',
        by: 'user_id',
        key: 'user_id',
        columns: ['created_at', 'confirmed_at'],
      },
    ],
    withheld: { user_id: shown, sealed_secret: secret, last_step: internal },
    erased: { kind: 'rows', columns: ['user_id'] },
  },
  {
    table: 'phone_factors',
    database: 'primary',
    userColumns: ['user_id'],
    exported: [
      {
        file: 'phone_numbers',
        by: 'user_id',
        key: 'user_id',
        columns: ['id', 'sealed_number', 'verified_at'],
        opened: { column: 'sealed_number', rowId: 'id', as: 'number' },
      },
    ],
    withheld: { user_id: shown },
    erased: { kind: 'rows', columns: ['user_id'] },
  },
  {
    table: 'sms_codes',
    database: 'primary',
    userColumns: ['user_id'],
    exported: [],
    withheld: { '*': secret },
    erased: { kind: 'rows', columns: ['user_id'] },
  },
  {
    table: 'backup_codes',
    database: 'primary',
    userColumns: ['user_id'],
    exported: [
      {
        file: 'backup_codes',
        by: 'user_id',
        key: 'slot',
        keyType: 'smallint',
        columns: ['slot', 'created_at', 'used_at'],
      },
    ],
    withheld: { user_id: shown, code_hash: secret },
    erased: { kind: 'rows', columns: ['user_id'] },
  },
  {
    table: 'passkeys',
    database: 'primary',
    userColumns: ['user_id'],
    exported: [
      {
        file: 'passkeys',
        by: 'user_id',
        key: 'id',
        columns: [
          'name',
          'transports',
          'backup_eligible',
          'backed_up',
          'aaguid',
          'created_at',
          'last_used_at',
        ],
      },
    ],
    withheld: {
      id: internal,
      user_id: shown,
      credential_id: secret,
      public_key: secret,
      sign_count: internal,
    },
    erased: { kind: 'rows', columns: ['user_id'] },
  },
  {
    table: 'api_keys',
    database: 'primary',
    userColumns: ['user_id'],
    exported: [
      {
        file: 'api_keys',
        by: 'user_id',
        key: 'id',
        columns: [
          'name',
          'hint',
          'scopes',
          'networks',
          'created_at',
          'expires_at',
          'revoked_at',
          'revoked_reason',
          'last_used_at',
          'last_used_country',
        ],
      },
    ],
    withheld: {
      id: internal,
      user_id: shown,
      key_hash: secret,
      last_used_network: 'a keyed digest of an address',
    },
    erased: { kind: 'rows', columns: ['user_id'] },
  },
  {
    table: 'webhook_endpoints',
    database: 'primary',
    userColumns: ['user_id'],
    exported: [
      {
        file: 'webhook_endpoints',
        by: 'user_id',
        key: 'id',
        columns: [
          'url',
          'event_types',
          'description',
          'enabled',
          'disabled_reason',
          'disabled_at',
          'failing_since',
          'created_at',
          'updated_at',
        ],
      },
    ],
    withheld: {
      id: internal,
      user_id: shown,
      sealed_secret: secret,
      sealed_old_secret: secret,
      old_secret_expires_at: internal,
      claim_id: internal,
      claimed_until: internal,
    },
    erased: { kind: 'rows', columns: ['user_id'] },
  },
  {
    table: 'suspensions',
    database: 'primary',
    userColumns: ['user_id', 'suspended_by'],
    exported: [
      {
        file: 'suspension',
        by: 'user_id',
        key: 'user_id',
        columns: ['reason', 'suspended_at', 'ends_at'],
      },
    ],
    withheld: {
      user_id: shown,
      suspended_by: 'names a moderator',
      previous_status: internal,
    },
    erased: { kind: 'rows', columns: ['user_id'] },
  },
  {
    table: 'admin_proposals',
    database: 'primary',
    userColumns: ['user_id', 'proposed_by', 'decided_by'],
    exported: [
      {
        file: 'administrator_proposals',
        by: 'user_id',
        key: 'id',
        columns: ['created_at', 'expires_at', 'decided_at', 'outcome'],
      },
    ],
    withheld: {
      id: internal,
      user_id: shown,
      proposed_by: 'names an administrator',
      decided_by: 'names an administrator',
      reason: 'the words of an administrator',
    },
    erased: { kind: 'rows', columns: ['user_id'] },
  },
  {
    table: 'follows',
    database: 'primary',
    userColumns: ['follower_id', 'followee_id'],
    exported: [
      {
        file: 'following',
        by: 'follower_id',
        key: 'followee_id',
        columns: ['followee_id', 'created_at'],
      },
      {
        file: 'followers',
        by: 'followee_id',
        key: 'follower_id',
        columns: ['follower_id', 'created_at'],
      },
    ],
    withheld: {},
    erased: { kind: 'step', step: 'follows' },
  },
  {
    table: 'blocks',
    database: 'primary',
    userColumns: ['blocker_id', 'blocked_id'],
    exported: [
      { file: 'blocks', by: 'blocker_id', key: 'blocked_id', columns: ['blocked_id', 'created_at'] },
    ],
    // Who blocks the user is somebody else's secret, so no section goes by blocked_id.
    withheld: { blocker_id: shown },
    erased: { kind: 'rows', columns: ['blocker_id', 'blocked_id'] },
  },
  {
    table: 'posts',
    database: 'primary',
    userColumns: ['author_id'],
    exported: [
      {
        file: 'posts',
        by: 'author_id',
        key: 'id',
        columns: ['id', 'text', 'facets', 'video_id', 'created_at', 'deleted_at'],
      },
    ],
    withheld: { author_id: shown },
    erased: { kind: 'step', step: 'posts' },
  },
  {
    table: 'post_likes',
    database: 'primary',
    userColumns: ['user_id'],
    exported: [{ file: 'likes', by: 'user_id', key: 'post_id', columns: ['post_id', 'created_at'] }],
    withheld: { user_id: shown },
    erased: { kind: 'step', step: 'likes' },
  },
  {
    table: 'videos',
    database: 'primary',
    userColumns: ['owner_id'],
    exported: [
      {
        file: 'videos',
        by: 'owner_id',
        key: 'id',
        only: { column: 'replaces_id', is: 'null' },
        columns: [
          'id',
          'title',
          'description',
          'visibility',
          'state',
          'failure_code',
          'failure_message',
          'source_bytes',
          'container',
          'duration_ms',
          'width',
          'height',
          'frame_rate',
          'video_codec',
          'audio_codec',
          'publish_at',
          'tags',
          'category',
          'language',
          'licence',
          'chapters',
          'end_screens',
          'comment_policy',
          'age_restricted',
          'geo_mode',
          'geo_countries',
          'embed_mode',
          'embed_domains',
          'downloads_enabled',
          'burn_in_captions',
          'clipped_from',
          'clip_start_ms',
          'clip_end_ms',
          'created_at',
          'updated_at',
          'published_at',
          'deleted_at',
        ],
      },
      {
        // Files sent to replace that of a video.
        file: 'replacements',
        by: 'owner_id',
        key: 'id',
        only: { column: 'replaces_id', is: 'not null' },
        columns: [
          'id',
          'replaces_id',
          'state',
          'failure_code',
          'failure_message',
          'source_bytes',
          'container',
          'duration_ms',
          'width',
          'height',
          'frame_rate',
          'video_codec',
          'audio_codec',
          'created_at',
          'updated_at',
          'published_at',
          'deleted_at',
        ],
      },
    ],
    withheld: {
      owner_id: shown,
      progress_percent: internal,
      revision: internal,
      source_key: 'media.jsonl links to the file itself',
      tag_keys: 'made of tags',
      hls_key: internal,
      dash_key: internal,
      media_prefix: internal,
      password_hash: secret,
      custom_thumbnail_key: internal,
      storyboard_key: internal,
      preview_key: internal,
      download_key: internal,
      announced_at: internal,
      thumbnail_position: internal,
      superseded_at: internal,
      open_prefix: internal,
      captions_wanted: internal,
      captions_built: internal,
      extras_due_at: internal,
      captions_played: internal,
      captions_to_cut: internal,
    },
    erased: { kind: 'step', step: 'videos' },
  },
  {
    table: 'video_ratings',
    database: 'primary',
    userColumns: ['user_id'],
    exported: [
      {
        file: 'video_ratings',
        by: 'user_id',
        key: 'video_id',
        columns: ['video_id', 'rating', 'created_at'],
      },
    ],
    withheld: { user_id: shown },
    erased: { kind: 'step', step: 'ratings' },
  },
  {
    table: 'comments',
    database: 'primary',
    userColumns: ['author_id', 'owner_id'],
    exported: [
      {
        file: 'comments',
        by: 'author_id',
        key: 'id',
        columns: [
          'id',
          'video_id',
          'parent_id',
          'root_id',
          'text',
          'facets',
          'state',
          'created_at',
          'edited_at',
          'deleted_at',
        ],
      },
    ],
    withheld: {
      author_id: shown,
      owner_id: 'of the video, which is shown with it',
      depth: internal,
      held_for: 'may tell the words another user blocks',
      shown_at: internal,
      likes: 'a number, shown with the comment',
      replies: 'a number, shown with the comment',
      pinned_at: 'the act of another user',
      hearted_at: 'the act of another user',
      deletion: internal,
    },
    // Those on the user's own videos go with the videos.
    erased: { kind: 'step', step: 'comments' },
  },
  {
    table: 'comment_likes',
    database: 'primary',
    userColumns: ['user_id'],
    exported: [
      {
        file: 'comment_likes',
        by: 'user_id',
        key: 'comment_id',
        columns: ['comment_id', 'created_at'],
      },
    ],
    withheld: { user_id: shown },
    erased: { kind: 'step', step: 'comment_likes' },
  },
  {
    table: 'comment_settings',
    database: 'primary',
    userColumns: ['owner_id'],
    exported: [
      {
        file: 'comment_settings',
        by: 'owner_id',
        key: 'owner_id',
        columns: ['blocked_words', 'hold_links', 'updated_at'],
      },
    ],
    withheld: { owner_id: shown, blocked_keys: 'made of blocked_words' },
    erased: { kind: 'rows', columns: ['owner_id'] },
  },
  {
    table: 'playlist_items',
    database: 'primary',
    userColumns: ['owner_id'],
    exported: [
      {
        file: 'playlist_items',
        by: 'owner_id',
        key: 'id',
        columns: ['playlist_id', 'video_id', 'rank', 'added_at'],
      },
    ],
    withheld: { id: internal, owner_id: shown },
    erased: { kind: 'rows', columns: ['owner_id'] },
  },
  {
    table: 'playlists',
    database: 'primary',
    userColumns: ['owner_id'],
    exported: [
      {
        file: 'playlists',
        by: 'owner_id',
        key: 'id',
        columns: [
          'id',
          'kind',
          'title',
          'description',
          'visibility',
          'allow_duplicates',
          'created_at',
          'updated_at',
        ],
      },
    ],
    withheld: { owner_id: shown, numbering: internal },
    // After their items, of which one list may have thousands.
    erased: { kind: 'rows', columns: ['owner_id'] },
  },
  {
    table: 'channel_view_sketches',
    database: 'primary',
    userColumns: ['owner_id'],
    exported: [],
    withheld: { '*': 'how many watched the channel, made anew from the numbers of its videos' },
    erased: { kind: 'rows', columns: ['owner_id'] },
  },
  {
    table: 'streams',
    database: 'primary',
    userColumns: ['owner_id'],
    exported: [
      {
        file: 'streams',
        by: 'owner_id',
        key: 'id',
        columns: [
          'id',
          'title',
          'description',
          'visibility',
          'state',
          'scheduled_at',
          'started_at',
          'ended_at',
          'failure_code',
          'video_id',
          'clips_enabled',
          'created_at',
          'updated_at',
        ],
      },
    ],
    withheld: {
      owner_id: shown,
      channel_arn: internal,
      away_since: internal,
      stop_asked_at: internal,
      viewers: 'how many watch just now',
      health: internal,
      health_at: internal,
      room_closed_at: internal,
    },
    erased: { kind: 'rows', columns: ['owner_id'] },
  },
  {
    table: 'stream_markers',
    database: 'primary',
    userColumns: ['author_id'],
    exported: [
      {
        file: 'stream_markers',
        by: 'author_id',
        key: 'id',
        columns: ['id', 'stream_id', 'title', 'at', 'created_at'],
      },
    ],
    withheld: { author_id: shown },
    erased: { kind: 'rows', columns: ['author_id'] },
  },
  {
    table: 'stream_clips',
    database: 'primary',
    userColumns: ['creator_id'],
    exported: [
      {
        file: 'stream_clips',
        by: 'creator_id',
        key: 'video_id',
        columns: ['video_id', 'stream_id', 'from_at', 'to_at', 'created_at'],
      },
    ],
    withheld: { creator_id: shown },
    erased: { kind: 'rows', columns: ['creator_id'] },
  },
  {
    table: 'stream_viewers',
    database: 'primary',
    userColumns: ['user_id'],
    exported: [
      {
        file: 'streams_watched',
        by: 'user_id',
        key: 'stream_id',
        columns: ['stream_id', 'watched', 'watch_ms'],
      },
    ],
    withheld: { user_id: shown },
    erased: { kind: 'rows', columns: ['user_id'] },
  },
  {
    table: 'stream_chatters',
    database: 'primary',
    userColumns: ['user_id'],
    exported: [
      {
        file: 'streams_written_in',
        by: 'user_id',
        key: 'stream_id',
        columns: ['stream_id', 'messages', 'over'],
      },
    ],
    withheld: { user_id: shown },
    erased: { kind: 'rows', columns: ['user_id'] },
  },
  {
    table: 'chat_settings',
    database: 'primary',
    userColumns: ['owner_id'],
    exported: [
      {
        file: 'chat_settings',
        by: 'owner_id',
        key: 'owner_id',
        columns: [
          'slow_seconds',
          'members_only',
          'followers_only_minutes',
          'emote_only',
          'unique_only',
          'updated_at',
          'moderator_delay_seconds',
          'auto_moderation',
          'shield',
          'shield_preset',
        ],
      },
    ],
    withheld: { owner_id: shown, version: internal },
    erased: { kind: 'rows', columns: ['owner_id'] },
  },
  {
    table: 'chat_roles',
    database: 'primary',
    userColumns: ['owner_id', 'user_id'],
    exported: [
      {
        file: 'chat_roles_given',
        by: 'owner_id',
        key: 'user_id',
        columns: ['user_id', 'role', 'granted_at'],
      },
      { file: 'chat_roles', by: 'user_id', key: 'owner_id', columns: ['owner_id', 'role', 'granted_at'] },
    ],
    withheld: {},
    erased: { kind: 'rows', columns: ['owner_id', 'user_id'] },
  },
  {
    table: 'chat_messages',
    database: 'primary',
    userColumns: ['author_id'],
    exported: [
      {
        file: 'chat_messages',
        by: 'author_id',
        key: 'id',
        columns: ['id', 'stream_id', 'kind', 'at', 'event', 'deleted_at'],
      },
    ],
    withheld: { author_id: shown, seq: internal, quotes_id: 'stands in event' },
    erased: { kind: 'step', step: 'chat' },
  },
  {
    table: 'chat_bans',
    database: 'primary',
    userColumns: ['owner_id', 'user_id', 'banned_by'],
    exported: [
      {
        file: 'chat_bans_given',
        by: 'owner_id',
        key: 'user_id',
        columns: ['user_id', 'until', 'reason', 'banned_by', 'banned_at'],
      },
      {
        file: 'chat_bans',
        by: 'user_id',
        key: 'owner_id',
        columns: ['owner_id', 'until', 'reason', 'banned_at'],
      },
    ],
    withheld: {},
    erased: { kind: 'rows', columns: ['owner_id', 'user_id'] },
  },
  {
    table: 'chat_terms',
    database: 'primary',
    userColumns: ['owner_id', 'added_by'],
    exported: [
      {
        file: 'chat_terms',
        by: 'owner_id',
        key: 'id',
        columns: ['id', 'kind', 'term', 'added_by', 'added_at'],
      },
    ],
    withheld: { owner_id: shown },
    erased: { kind: 'rows', columns: ['owner_id'] },
  },
  {
    table: 'chat_warnings',
    database: 'primary',
    userColumns: ['owner_id', 'user_id', 'warned_by'],
    exported: [
      {
        file: 'chat_warnings_given',
        by: 'owner_id',
        key: 'id',
        columns: ['id', 'user_id', 'reason', 'warned_by', 'warned_at', 'acknowledged_at'],
      },
      {
        file: 'chat_warnings',
        by: 'user_id',
        key: 'id',
        columns: ['id', 'owner_id', 'reason', 'warned_at', 'acknowledged_at'],
      },
    ],
    withheld: {},
    erased: { kind: 'rows', columns: ['owner_id', 'user_id'] },
  },
  {
    table: 'chat_unban_requests',
    database: 'primary',
    userColumns: ['owner_id', 'user_id', 'decided_by'],
    exported: [
      {
        file: 'chat_unban_requests_answered',
        by: 'owner_id',
        key: 'id',
        columns: ['id', 'user_id', 'text', 'state', 'note', 'decided_by', 'decided_at', 'created_at'],
      },
      {
        file: 'chat_unban_requests',
        by: 'user_id',
        key: 'id',
        columns: ['id', 'owner_id', 'banned_at', 'text', 'state', 'note', 'decided_at', 'created_at'],
      },
    ],
    withheld: {},
    erased: { kind: 'rows', columns: ['owner_id', 'user_id'] },
  },
  {
    table: 'chat_bots',
    database: 'primary',
    userColumns: ['user_id', 'verified_by'],
    exported: [
      { file: 'chat_bot', by: 'user_id', key: 'user_id', columns: ['user_id', 'messages', 'verified_at'] },
    ],
    withheld: { verified_by: 'who of the platform looked at the account' },
    erased: { kind: 'rows', columns: ['user_id'] },
  },
  {
    table: 'chat_open_rooms',
    database: 'primary',
    userColumns: ['owner_id'],
    exported: [],
    withheld: { '*': 'where changes are to be told, as long as somebody is there' },
    erased: { kind: 'rows', columns: ['owner_id'] },
  },
  {
    table: 'chat_actions',
    database: 'primary',
    userColumns: ['owner_id', 'actor_id', 'target_id'],
    exported: [
      {
        file: 'chat_actions',
        by: 'owner_id',
        key: 'id',
        columns: ['id', 'at', 'stream_id', 'actor_id', 'kind', 'target_id', 'message_id', 'reason', 'detail'],
      },
      {
        file: 'chat_actions_taken',
        by: 'actor_id',
        key: 'id',
        columns: ['id', 'at', 'owner_id', 'stream_id', 'kind', 'target_id', 'message_id', 'reason', 'detail'],
      },
      {
        file: 'chat_actions_against_me',
        by: 'target_id',
        key: 'id',
        columns: ['id', 'at', 'owner_id', 'stream_id', 'kind', 'message_id', 'reason', 'detail'],
      },
    ],
    withheld: { version: internal },
    erased: { kind: 'rows', columns: ['owner_id'] },
  },
  {
    table: 'chat_profiles',
    database: 'primary',
    userColumns: ['user_id'],
    exported: [{ file: 'chat_profile', by: 'user_id', key: 'user_id', columns: ['color', 'updated_at'] }],
    withheld: { user_id: shown },
    erased: { kind: 'rows', columns: ['user_id'] },
  },
  {
    table: 'emotes',
    database: 'primary',
    userColumns: ['owner_id', 'reviewed_by'],
    exported: [
      {
        file: 'emotes',
        by: 'owner_id',
        key: 'id',
        columns: ['id', 'name', 'format', 'members_only', 'state', 'reason', 'reviewed_at', 'created_at'],
      },
    ],
    withheld: { owner_id: shown, reviewed_by: internal },
    // Their pictures, and with them the rows, go in the step `videos`.
    erased: { kind: 'rows', columns: ['owner_id'] },
  },
  {
    table: 'live_channels',
    database: 'primary',
    userColumns: ['owner_id'],
    exported: [
      {
        file: 'live_channel',
        by: 'owner_id',
        key: 'arn',
        keyType: 'text',
        columns: [
          'playback_url',
          'latency_mode',
          'type',
          'insecure_ingest',
          'key_fingerprint',
          'key_made_at',
          'claimed_at',
          'updated_at',
        ],
      },
    ],
    withheld: {
      owner_id: shown,
      arn: internal,
      ingest_endpoint: internal,
      srt_endpoint: internal,
      recording_configuration_arn: internal,
      key_arn: internal,
      stop_due_at: internal,
      retired_at: internal,
      created_at: 'when the channel was made, which was for nobody yet',
    },
    erased: { kind: 'step', step: 'live_channel' },
  },
  {
    table: 'live_viewers',
    database: 'primary',
    userColumns: ['viewer_id'],
    exported: [
      {
        file: 'live_viewings',
        by: 'viewer_id',
        key: 'stream_id',
        columns: ['stream_id', 'issued_at', 'revoked_at', 'barred_at'],
      },
    ],
    withheld: { viewer_id: shown },
    erased: { kind: 'rows', columns: ['viewer_id'] },
  },
  {
    table: 'channel_members',
    database: 'primary',
    userColumns: ['owner_id', 'user_id'],
    exported: [
      {
        file: 'members',
        by: 'owner_id',
        key: 'user_id',
        columns: ['user_id', 'granted_at', 'expires_at'],
      },
      {
        file: 'memberships',
        by: 'user_id',
        key: 'owner_id',
        columns: ['owner_id', 'granted_at', 'expires_at'],
      },
    ],
    withheld: {},
    erased: { kind: 'rows', columns: ['owner_id', 'user_id'] },
  },
  {
    table: 'watermarks',
    database: 'primary',
    userColumns: ['owner_id'],
    exported: [
      {
        file: 'watermark',
        by: 'owner_id',
        key: 'owner_id',
        columns: ['width', 'height', 'corner', 'opacity_percent', 'width_percent', 'updated_at'],
      },
    ],
    withheld: { owner_id: shown, object_key: internal },
    // Its picture goes in the step `videos`.
    erased: { kind: 'rows', columns: ['owner_id'] },
  },
  {
    table: 'uploads',
    database: 'primary',
    userColumns: ['owner_id'],
    exported: [
      {
        file: 'uploads',
        by: 'owner_id',
        key: 'id',
        columns: [
          'video_id',
          'replaces_id',
          'state',
          'file_name',
          'content_type',
          'size_bytes',
          'created_at',
          'expires_at',
          'finished_at',
        ],
      },
    ],
    withheld: {
      id: internal,
      owner_id: shown,
      part_size_bytes: internal,
      part_count: internal,
      object_key: internal,
      s3_upload_id: internal,
      told_percent: internal,
      checked_at: internal,
    },
    erased: { kind: 'cascade', from: 'videos' },
  },
  {
    table: 'audit_log',
    database: 'primary',
    userColumns: ['actor_id', 'target_id'],
    exported: [
      {
        file: 'security_log',
        by: 'actor_id',
        byType: 'text',
        key: 'id',
        columns: ['created_at', 'action', 'outcome', 'ip', 'country', 'user_agent', 'target_kind'],
      },
    ],
    withheld: {
      id: internal,
      origin_salt: internal,
      origin_commitment: internal,
      actor_kind: internal,
      actor_id: shown,
      target_id: 'may name other people',
      request_id: internal,
      detail: 'may tell how attacks are recognised',
    },
    erased: {
      kind: 'kept',
      reason:
        'proof of who did what, by an id that leads to nobody once the account is erased; without addresses',
    },
  },
  {
    table: 'watch_history',
    database: 'shards',
    userColumns: ['user_id'],
    exported: [
      {
        file: 'watch_history',
        by: 'user_id',
        key: 'video_id',
        columns: ['video_id', 'position_ms', 'duration_ms', 'completed', 'watched_at', 'removed_at'],
      },
    ],
    withheld: { user_id: shown, slot: internal },
    erased: { kind: 'rows', columns: ['user_id'] },
  },
  {
    table: 'watch_history_settings',
    database: 'shards',
    userColumns: ['user_id'],
    exported: [
      {
        file: 'watch_history_settings',
        by: 'user_id',
        key: 'user_id',
        columns: ['paused', 'not_before'],
      },
    ],
    withheld: { user_id: shown, slot: internal },
    erased: { kind: 'rows', columns: ['user_id'] },
  },
  {
    table: 'timeline_entries',
    database: 'shards',
    userColumns: ['owner_id', 'author_id'],
    exported: [],
    withheld: { '*': 'a copy of what the people the user follows posted' },
    // Entries of the user's posts in other timelines go with the follows that brought them.
    erased: { kind: 'rows', columns: ['owner_id'] },
  },
];

/** Tables that hold nothing about one user, or nothing that outlives what it belongs to, by name: why. */
export const impersonalTables: Readonly<Record<string, string>> = {
  stream_sessions:
    'when encoders were connected; streams, which are exported, say from when to when they went on',
  stream_samples: 'how many watched a stream, of whom nothing is known here',
  stream_recordings: 'where recordings lie; the videos they become are exported',
  refresh_tokens: 'digests of secrets; deleted with their session',
  used_passkey_challenges: 'random numbers, for minutes',
  video_counters: 'numbers, shown with the video and deleted with it',
  cdn_invalidations: 'addresses of files of videos, for minutes',
  view_flushes: 'which flushes of counters were applied',
  view_salts: 'random numbers, for a day',
  video_view_days: 'numbers about a video without viewers; deleted with it',
  video_view_parts: 'numbers about a video without viewers; deleted with it',
  video_view_minutes: 'numbers about a video without viewers, for a month',
  stream_tallies: 'numbers about a stream; deleted with it',
  stream_minutes: 'numbers about a stream; deleted with it',
  stream_audiences: 'how many came to a stream by one relay; deleted with it',
  monthly_tables: 'names of tables',
  live_channel_orders: 'names of channels that are being made for nobody yet, for minutes',
  channel_view_refresh: 'when numbers were added up',
  post_counters: 'numbers, shown with the post and deleted with it',
  upload_parts: 'which parts of a file have arrived; deleted when it has',
  video_imports:
    'how a file is fetched; its address is sealed and gone once that has ended; deleted with the video',
  video_sweeps: 'how far a job got through the buckets',
  upload_scans: 'what the virus scan of a file has found; deleted with its video',
  encode_jobs: 'how a video was converted; deleted with it',
  captions: 'the words of a video, shown with it; deleted with it',
  renditions: 'how a video was converted; deleted with it',
  thumbnails: 'how a video was converted; deleted with it',
  webhook_deliveries: 'what was sent to an endpoint of the user; deleted with it, or after a month',
  webhook_attempts: 'what an endpoint of the user answered; deleted with the delivery',
  outbox: 'messages on their way, for seconds',
  mail_deliveries: 'ids of events that asked for a mail, for a month',
  processed_events: 'ids of messages and things, for two weeks',
  inbound_events: 'ids of messages from AWS, for two weeks',
  audit_pending: 'digests of audit entries',
  audit_seals: 'digests of audit entries',
  audit_retirements: 'which months of the audit log were archived',
  dead_letters: 'messages that could not be handled; what names the user is deleted in the step leftovers',
};

/** The sections of an export with the tables they are read from, in order. */
export const exportSections = personalTables.flatMap(({ table, database, exported }) =>
  exported.map((section) => ({ table, database, ...section })),
);

/** The rows the erasure deletes without further ado. */
export const erasedRows = personalTables.flatMap(({ table, database, erased }) =>
  erased.kind === 'rows' ? erased.columns.map((column) => ({ table, database, column })) : [],
);

/**
 * The steps of an erasure, in order. First what other people see, then what only the owner saw, last the name; each may run
 * any number of times.
 */
export const erasureSteps = [
  'access',
  'posts',
  'likes',
  'ratings',
  'comments',
  'comment_likes',
  'chat',
  'follows',
  'videos',
  'live_channel',
  'exports',
  'providers',
  'rows',
  'leftovers',
  'audit',
  'identity',
] as const;

export type ErasureStep = (typeof erasureSteps)[number];

/** What comes after a step; undefined when all is done, the first for a step of another release. */
export const stepAfter = (step: string): ErasureStep | undefined =>
  erasureSteps[erasureSteps.indexOf(step as ErasureStep) + 1];
