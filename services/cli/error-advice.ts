import { basename, dirname } from 'node:path';
import type { Environment } from '../../shared/config/config.ts';
import { shownProxy } from '../../shared/domain/network.ts';
import { OtherOrganizationError } from '../../shared/ports/binding.ts';
import { CloudError } from '../../shared/ports/cloud.ts';
import { StoreError } from '../../shared/ports/store-error.ts';

/** An error that many users meet: what happened in one sentence without a full stop, then facts and the fix. */
export interface Advice {
  readonly headline: string;
  readonly hints: readonly string[];
}

/** Where the command ran. */
export interface Surroundings {
  readonly env: Environment;
  /** The store in sentences: a folder or a table. */
  readonly store: string;
  /** The words of the command: `audit list`. */
  readonly command?: string;
}

/** Commands that a new user may run before the first scan. All others expect an existing store, so the folder is probably the wrong one. */
const FIRST_COMMANDS: ReadonlySet<string> = new Set(['status', 'accounts', 'account']);

/** The words for an error that many users meet; `null`: the message of the error is shown. */
export function adviceFor(error: unknown, { env, store, command }: Surroundings): Advice | null {
  if (error instanceof OtherOrganizationError) return otherOrganization(error, store);
  if (error instanceof StoreError) return missingStore(error, command);
  if (!(error instanceof CloudError)) return null;
  switch (error.details.code) {
    case 'RegionMissing':
      return {
        headline: 'no AWS Region is set',
        hints: ['Fix: export AWS_REGION=us-east-1, or set region in your AWS profile'],
      };
    case 'ProfileMissing': {
      const file = env['AWS_CONFIG_FILE'] || '~/.aws/config';
      return {
        headline: `the AWS profile ${env['AWS_PROFILE']} does not exist in ${file}`,
        hints: ['Correct AWS_PROFILE. To list the profiles: aws configure list-profiles'],
      };
    }
    case 'SsoSessionExpired': {
      const profile = env['AWS_PROFILE'] || 'default';
      return {
        headline: `the AWS session of profile ${profile} has expired`,
        hints: [`Fix: aws sso login --profile ${profile}`],
      };
    }
    default:
      return noConnection(error, env);
  }
}

function otherOrganization({ owner, found }: OtherOrganizationError, store: string): Advice | null {
  if (owner === null || found === null) return null;
  const other = store.startsWith('table ')
    ? 'another table (ROLLCALL_TABLE) and queues'
    : 'another store with --data-dir';
  return {
    headline: 'this store belongs to another organization; nothing was written',
    hints: [
      `The store ${store} is for ${owner}, the credentials are for ${found}.`,
      `Fix: use credentials of ${owner}, or ${other}`,
    ],
  };
}

function missingStore({ code, details }: StoreError, command = ''): Advice | null {
  // A backup has another name.
  if (code !== 'NotFound' || basename(details.resource) !== 'rollcall.db') return null;
  return {
    headline: `there is no store in ${dirname(details.resource)}`,
    hints: FIRST_COMMANDS.has(command)
      ? ['Fix: rollcall scan creates it; or name another folder with --data-dir']
      : ['Is this the wrong folder? Use --data-dir DIR or --store aws', 'To create a new store, run: rollcall scan'],
  };
}

/** What a peer did, by the error code of Node. */
const NETWORK: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refused the connection',
  ECONNRESET: 'closed the connection',
  EHOSTUNREACH: 'cannot be reached',
  ENETUNREACH: 'cannot be reached',
  EAI_AGAIN: 'cannot be resolved',
  ENOTFOUND: 'does not exist',
  ETIMEDOUT: 'did not answer',
  TimeoutError: 'did not answer',
  ERR_PROXY_TUNNEL: 'refused to connect to it',
};

function noConnection({ details }: CloudError, env: Environment): Advice | null {
  const what = NETWORK[details.code];
  if (what === undefined) return null;
  const { host, secure } = endpointOf(details.service, env);
  const proxy = proxyFor(host, secure, env);
  const headline = `no connection to ${host}`;
  if (proxy === null) {
    return {
      headline,
      hints: [
        `The host ${what} (${details.code}).`,
        'Fix: check the network, AWS_REGION and AWS_ENDPOINT_URL; set HTTPS_PROXY if you need a proxy',
      ],
    };
  }
  return {
    headline,
    hints: [
      `The proxy ${proxy.shown} (${proxy.variable}) ${what} (${details.code}).`,
      `Fix: correct ${proxy.variable}; if AWS needs no proxy, set NO_PROXY=.amazonaws.com`,
    ],
  };
}

function endpointOf(service: string, env: Environment): { readonly host: string; readonly secure: boolean } {
  const configured = URL.parse(env['AWS_ENDPOINT_URL'] ?? '');
  if (configured !== null) return { host: configured.host, secure: configured.protocol === 'https:' };
  const region = env['AWS_REGION'] || env['AWS_DEFAULT_REGION'] || 'us-east-1';
  return { host: `${service}.${region}.amazonaws.com`, secure: true };
}

interface UsedProxy {
  readonly variable: string;
  /** Without its password. */
  readonly shown: string;
}

function proxyFor(host: string, secure: boolean, env: Environment): UsedProxy | null {
  const names = secure ? ['https_proxy', 'HTTPS_PROXY'] : ['http_proxy', 'HTTP_PROXY'];
  const variable = names.find((name) => (env[name] ?? '') !== '');
  if (variable === undefined) return null;
  const bare = host.replace(/:\d+$/, '');
  const direct = (env['no_proxy'] || env['NO_PROXY'] || '').split(/[\s,]+/).filter((entry) => entry !== '');
  if (direct.some((entry) => entry === '*' || bare === entry || bare.endsWith(`.${entry.replace(/^\*?\./, '')}`))) {
    return null;
  }
  return { variable, shown: shownProxy(env[variable] ?? '') };
}
