import type { IncomingHttpHeaders } from 'node:http';
import { Failure } from '../engine/operation.ts';
import type { Sandbox } from '../engine/sandbox.ts';
import type { ServiceName } from '../engine/types.ts';

export type CredentialScope = { accessKeyId: string; region: string; service: string };

const PARAMETERS = [
  ['Credential', /\bCredential=[^,\s]/],
  ['SignedHeaders', /\bSignedHeaders=[^,\s]/],
  ['Signature', /\bSignature=[^,\s]/],
] as const;
const CREDENTIAL = /\bCredential=([^/,\s]+)\/\d{8}\/([a-z0-9-]+)\/([a-z0-9-]+)\/aws4_request(?=[,\s]|$)/;

/** The credential scope of a SigV4 header. The signature is not verified, so any secret works. */
export function parseAuthorization(headers: IncomingHttpHeaders): CredentialScope | Failure {
  const header = headers.authorization;
  if (header === undefined) return new Failure('MissingAuthenticationToken', 'Missing Authentication Token');
  if (!header.startsWith('AWS4-HMAC-SHA256 '))
    return new Failure('IncompleteSignature', 'Unsupported AWS signing algorithm in the Authorization header.');
  const missing = PARAMETERS.filter(([, given]) => !given.test(header)).map(
    ([name]) => `Authorization header requires '${name}' parameter.`,
  );
  const dated = [headers['x-amz-date'], headers.date].some((date) => date !== undefined && date !== '');
  if (!dated) missing.push("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.");
  if (missing.length > 0) return new Failure('IncompleteSignature', missing.join(' '));
  const [, accessKeyId, region, service] = CREDENTIAL.exec(header) ?? [];
  if (accessKeyId === undefined || region === undefined || service === undefined)
    return new Failure(
      'IncompleteSignature',
      'Credential must have exactly 5 slash-delimited elements: keyid/date/region/service/aws4_request.',
    );
  return { accessKeyId, region, service };
}

/** Organizations has one endpoint per partition. Its accounts are in the Tagging API's index of the same Region. */
const HOME_REGION = { aws: 'us-east-1', 'aws-cn': 'cn-northwest-1', 'aws-us-gov': 'us-gov-west-1' } as const;
const REGION = {
  aws: /^(?!cn-|us-gov-)[a-z]{2,3}(-[a-z]+){1,2}-\d$/,
  'aws-cn': /^cn-[a-z]+-\d$/,
  'aws-us-gov': /^us-gov-[a-z]+-\d$/,
} as const;

/** AWS's error if the credentials are scoped to another service or Region than the called one; otherwise null. */
export function checkScope(
  scope: CredentialScope,
  service: ServiceName,
  partition: Sandbox['partition'],
): Failure | null {
  const code = service === 'sts' ? 'SignatureDoesNotMatch' : 'InvalidSignatureException';
  if (scope.service !== service)
    return new Failure(code, `Credential should be scoped to correct service: '${service}'.`);
  const valid =
    service === 'organizations' || service === 'tagging'
      ? scope.region === HOME_REGION[partition]
      : REGION[partition].test(scope.region);
  return valid ? null : new Failure(code, 'Credential should be scoped to a valid region.');
}
