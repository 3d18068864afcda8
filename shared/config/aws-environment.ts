import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from './config.ts';

/** Proxy variables are removed too, because a proxy on another machine cannot reach this machine's loopback address. */
const PROXIES: ReadonlySet<string> = new Set(['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY']);

/** Settings that reach outside of this machine: those of AWS, and the key, archive and witnesses of real checkpoints. */
const OUTSIDE = /^(?:AWS_|ROLLCALL_CHECKPOINT_)/;

/**
 * Makes the AWS SDK use only the sandbox, for the demo. First removes all AWS settings of this machine, so that no request can reach a real account.
 * `nowhere` is a directory without AWS files.
 */
export function useSandboxOnly(
  env: Record<string, string | undefined>,
  settings: { readonly endpoint: string; readonly accountId: string; readonly nowhere: string },
): void {
  for (const name of Object.keys(env)) {
    if (OUTSIDE.test(name) || PROXIES.has(name.toUpperCase())) delete env[name];
  }
  const { endpoint, accountId, nowhere } = settings;
  Object.assign(env, {
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: accountId,
    AWS_SECRET_ACCESS_KEY: 'demo',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: `${nowhere}/no-aws-config`,
    AWS_SHARED_CREDENTIALS_FILE: `${nowhere}/no-aws-credentials`,
  });
}

const CREDENTIALS = [
  'AWS_ACCESS_KEY_ID',
  'AWS_PROFILE',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
];

/** Whether this machine is set up to use AWS: variables or files from which the SDK can take credentials, without asking the network. */
export function hasCredentials(env: Environment): boolean {
  if (CREDENTIALS.some((name) => (env[name] ?? '') !== '')) return true;
  const home = env['HOME'] ?? env['USERPROFILE'] ?? '';
  const files = [
    env['AWS_SHARED_CREDENTIALS_FILE'] ?? join(home, '.aws', 'credentials'),
    env['AWS_CONFIG_FILE'] ?? join(home, '.aws', 'config'),
  ];
  return files.some((file) => existsSync(file));
}
