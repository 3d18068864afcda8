import { SignerError } from '../../../ports/checkpoint-signer.ts';
import type { StoreError, StoreErrorCode } from '../../../ports/store-error.ts';

/** What to do about the errors of the key itself, by KMS's code [API_Sign, Errors]. */
const REMEDIES: Readonly<Record<string, string>> = {
  NotFoundException: 'Check the key id, the Region and the account; a key of another account needs its ARN.',
  InvalidArnException: 'Name the key by its id, its ARN, alias/NAME or the ARN of an alias.',
  ValidationException: 'Name the key by its id, its ARN, alias/NAME or the ARN of an alias.',
  DisabledException: 'Enable it with: aws kms enable-key --key-id KEY_ID',
  KMSInvalidStateException:
    'If it is to be deleted, keep it with: aws kms cancel-key-deletion --key-id KEY_ID, then enable it.',
  InvalidKeyUsageException: 'Use a key for SIGN_VERIFY with ECC_NIST_EDWARDS25519 or ECC_NIST_P256.',
  UnsupportedOperationException: 'Use a key for SIGN_VERIFY with ECC_NIST_EDWARDS25519 or ECC_NIST_P256.',
  AccessDeniedException: 'Allow kms:GetPublicKey and kms:Sign in the policy of the role and in the key policy.',
};

const KINDS: Readonly<Partial<Record<StoreErrorCode, SignerError['kind']>>> = {
  Throttled: 'unavailable',
  Unavailable: 'unavailable',
  Denied: 'denied',
  Unauthenticated: 'denied',
};

/** Every other refusal of KMS concerns the key, so a retry would be refused too. */
export function signerError(error: StoreError): SignerError {
  const { resource, found, vendorCode = '', remedy } = error.details;
  const advice = Object.hasOwn(REMEDIES, vendorCode) ? REMEDIES[vendorCode] : remedy;
  const message = `${resource}: ${found}. ${advice}`;
  return new SignerError(KINDS[error.code] ?? 'invalid', message, { cause: error });
}
