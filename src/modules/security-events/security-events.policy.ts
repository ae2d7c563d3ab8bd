/** What an account's owner reads in the history of the account, by audit action and outcome. */
const typesByAction = {
  'auth.register': { success: 'account_created' },
  'auth.login': { success: 'signed_in', failure: 'sign_in_failed' },
  'auth.reactivation': { failure: 'sign_in_failed' },
  'auth.second_factor_asked': { success: 'second_factor_requested' },
  'auth.second_factor': { failure: 'second_factor_failed' },
  'auth.step_up': { success: 'reauthenticated' },
  'auth.reauthentication': { failure: 'reauthentication_failed' },
  'auth.logout': { success: 'signed_out' },
  'auth.session_ended': { success: 'session_ended' },
  'auth.sessions_ended': { success: 'sessions_ended' },
  'auth.refresh_reused': { denied: 'refresh_token_reused' },
  'auth.password_changed': { success: 'password_changed' },
  'factors.totp_started': { success: 'authenticator_setup_started' },
  'factors.totp_confirmed': { success: 'authenticator_added' },
  'factors.totp_removed': { success: 'authenticator_removed' },
  'factors.backup_codes_replaced': { success: 'backup_codes_replaced' },
  'factors.phone_set': { success: 'phone_added' },
  'factors.phone_removed': { success: 'phone_removed' },
  'factors.sms_code_sent': { success: 'sms_code_sent' },
  'passkeys.registered': { success: 'passkey_added' },
  'passkeys.removed': { success: 'passkey_removed' },
  'passkeys.renamed': { success: 'passkey_renamed' },
  'identities.linked': { success: 'provider_linked' },
  'identities.unlinked': { success: 'provider_unlinked' },
  'identities.deleted_by_provider': { success: 'provider_unlinked' },
  'auth.password_reset_requested': { success: 'password_reset_requested' },
  'auth.password_reset': { success: 'password_reset' },
  'auth.email_change_requested': { success: 'email_change_requested' },
  'auth.email_changed': { success: 'email_changed' },
  'auth.email_verified': { success: 'email_verified' },
  'account.username_changed': { success: 'username_changed' },
  'account.deactivated': { success: 'account_deactivated' },
  'account.reactivated': { success: 'account_reactivated' },
  'account.deletion_requested': { success: 'deletion_requested' },
  'account.export_requested': { success: 'export_requested' },
  'admin.user_suspended': { success: 'account_suspended' },
  'admin.user_unsuspended': { success: 'account_unsuspended' },
  'admin.user_logged_out': { success: 'sessions_ended' },
  'admin.role_granted': { success: 'role_given' },
  'admin.role_revoked': { success: 'role_taken' },
  'admin.birth_date_cleared': { success: 'birth_date_cleared' },
  'api_keys.created': { success: 'api_key_created' },
  'api_keys.renamed': { success: 'api_key_renamed' },
  'api_keys.revoked': { success: 'api_key_revoked' },
  'live.stream_key_made': { success: 'stream_key_made' },
  'live.stream_key_revoked': { success: 'stream_key_revoked' },
  'webhook_endpoints.created': { success: 'webhook_endpoint_added' },
  'webhook_endpoints.updated': { success: 'webhook_endpoint_changed' },
  'webhook_endpoints.deleted': { success: 'webhook_endpoint_removed' },
  'webhook_endpoints.secret_rotated': { success: 'webhook_secret_rotated' },
} as const satisfies Readonly<Record<string, Partial<Record<'success' | 'denied' | 'failure', string>>>>;

type TypesOf<T> = T[keyof T];
export type SecurityEventType = TypesOf<{
  [Action in keyof typeof typesByAction]: TypesOf<(typeof typesByAction)[Action]>;
}>;

/** The audit actions that are shown; every other entry is none of an owner's business or no matter of security. */
export const shownActions: readonly string[] = Object.keys(typesByAction);

export const securityEventTypes: readonly SecurityEventType[] = [
  ...new Set(Object.values(typesByAction).flatMap((types) => Object.values<SecurityEventType>(types))),
];

/** The plain name of an entry; undefined for one that is not shown. */
export function securityEventTypeOf(action: string, outcome: string): SecurityEventType | undefined {
  if (!Object.hasOwn(typesByAction, action)) return undefined;
  const types: Readonly<Record<string, SecurityEventType>> =
    typesByAction[action as keyof typeof typesByAction];
  return Object.hasOwn(types, outcome) ? types[outcome] : undefined;
}

export type SecurityEventActor = 'you' | 'staff' | 'system' | 'unknown';

/** Who did it, as its owner should know it: never which member of the staff, never somebody's account. */
export function securityEventActorOf(
  entry: { readonly actorKind: string; readonly actorId: string | null },
  userId: string,
): SecurityEventActor {
  if (entry.actorKind === 'admin') return 'staff';
  if (entry.actorKind === 'system' || entry.actorKind === 'webhook') return 'system';
  return entry.actorId === userId ? 'you' : 'unknown';
}
