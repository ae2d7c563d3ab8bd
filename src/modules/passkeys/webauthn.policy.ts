import { verifyAuthenticationResponse, verifyRegistrationResponse } from '@simplewebauthn/server';
import { decodeAttestationObject } from '@simplewebauthn/server/helpers';
import type { Config } from '../../config/index.ts';
import { fromBase64Url, fromUtf8 } from '../../shared/encoding.ts';
import { algorithms } from './passkeys.policy.ts';

/** A credential as the browser's `toJSON()` writes it, with the answer to `navigator.credentials.create()`. */
export interface RegistrationJson {
  readonly id: string;
  readonly rawId: string;
  readonly type: 'public-key';
  readonly response: {
    readonly clientDataJSON: string;
    readonly attestationObject: string;
    readonly transports?: string[] | undefined;
  };
}

/** The same with the answer to `navigator.credentials.get()`. */
export interface AssertionJson {
  readonly id: string;
  readonly rawId: string;
  readonly type: 'public-key';
  readonly response: {
    readonly clientDataJSON: string;
    readonly authenticatorData: string;
    readonly signature: string;
    readonly userHandle?: string | null | undefined;
  };
}

export interface NewCredential {
  /** Base64url. */
  readonly credentialId: string;
  readonly publicKey: Uint8Array;
  readonly signCount: number;
  readonly backupEligible: boolean;
  readonly backedUp: boolean;
  readonly aaguid: string;
}

export interface VerifiedAssertion {
  readonly signCount: number;
  readonly backedUp: boolean;
}

type PasskeysConfig = Config['passkeys'];

/**
 * Checks a new credential (WebAuthn L3 §7.1): challenge, origin, relying party, user verified, algorithm. Which authenticator
 * made it is nobody's concern, so certificates are refused, not checked: that would follow addresses a stranger wrote.
 * @param challenge base64url.
 * @returns undefined for anything that is not right.
 */
export async function verifyRegistration(
  config: PasskeysConfig,
  challenge: string,
  response: RegistrationJson,
): Promise<NewCredential | undefined> {
  try {
    if (isCrossOrigin(response.response.clientDataJSON) || hasCertificate(response)) return undefined;
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      response: {
        id: response.id,
        rawId: response.rawId,
        type: response.type,
        clientExtensionResults: {},
        response: {
          clientDataJSON: response.response.clientDataJSON,
          attestationObject: response.response.attestationObject,
        },
      },
      expectedChallenge: challenge,
      expectedOrigin: [...config.origins],
      expectedRPID: config.rpId,
      requireUserVerification: true,
      supportedAlgorithmIDs: [...algorithms],
    });
    if (!verified || registrationInfo.credential.id !== response.id) return undefined;
    const idLength = fromBase64Url(response.id)?.length ?? 0;
    const keyLength = registrationInfo.credential.publicKey.length;
    if (idLength < 16 || idLength > 1_023 || keyLength < 16 || keyLength > 2_048) return undefined;
    return {
      credentialId: registrationInfo.credential.id,
      publicKey: registrationInfo.credential.publicKey,
      signCount: registrationInfo.credential.counter,
      backupEligible: registrationInfo.credentialDeviceType === 'multiDevice',
      backedUp: registrationInfo.credentialBackedUp,
      aaguid: registrationInfo.aaguid,
    };
  } catch {
    // The library throws on whatever is wrong with it.
    return undefined;
  }
}

/**
 * Checks an assertion (WebAuthn L3 §7.2), all but the signature count: that is judged once the signature is known to be right,
 * so that nobody else can cry wolf.
 * @param challenge base64url.
 * @returns undefined for anything that is not right.
 */
export async function verifyAssertion(
  config: PasskeysConfig,
  challenge: string,
  response: AssertionJson,
  passkey: { readonly publicKey: Uint8Array; readonly backupEligible: boolean },
): Promise<VerifiedAssertion | undefined> {
  try {
    if (isCrossOrigin(response.response.clientDataJSON)) return undefined;
    const { clientDataJSON, authenticatorData, signature } = response.response;
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: {
        id: response.id,
        rawId: response.rawId,
        type: response.type,
        clientExtensionResults: {},
        response: { clientDataJSON, authenticatorData, signature },
      },
      expectedChallenge: challenge,
      expectedOrigin: [...config.origins],
      expectedRPID: config.rpId,
      requireUserVerification: true,
      credential: { id: response.id, publicKey: new Uint8Array(passkey.publicKey), counter: 0 },
    });
    const backupEligible = authenticationInfo.credentialDeviceType === 'multiDevice';
    if (!verified || backupEligible !== passkey.backupEligible) return undefined;
    return { signCount: authenticationInfo.newCounter, backedUp: authenticationInfo.credentialBackedUp };
  } catch {
    return undefined;
  }
}

// Pages of other sites that embed ours have no business with its passkeys.
function isCrossOrigin(clientDataJson: string): boolean {
  const bytes = fromBase64Url(clientDataJson);
  if (bytes === undefined) throw new RangeError('not base64url');
  return (JSON.parse(fromUtf8(bytes)) as { crossOrigin?: unknown }).crossOrigin === true;
}

function hasCertificate({ response }: RegistrationJson): boolean {
  const bytes = fromBase64Url(response.attestationObject);
  if (bytes === undefined) throw new RangeError('not base64url');
  const attestation = decodeAttestationObject(new Uint8Array(bytes));
  const format = attestation.get('fmt');
  if (format === 'none') return false;
  // Browsers leave a signature by the credential's own key in place even when no attestation was asked for.
  return format !== 'packed' || attestation.get('attStmt').get('x5c') !== undefined;
}
