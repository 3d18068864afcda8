import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { InstallationAccount } from '../../../shared/ports/installation.ts';
import { DEFAULT_STAGE } from '../definitions/defaults.ts';
import { CommandError } from '../errors.ts';
import { parametersOf } from './contents.ts';

export interface InstallFlags {
  readonly template?: string;
  readonly force?: boolean;
  readonly account?: string;
  readonly stage: string;
  readonly policySource?: string;
  readonly externalId?: string;
  readonly units?: string;
  readonly packages: string;
  readonly parameter: readonly string[];
  readonly yes?: boolean;
}

/** A package, or the template, as an object in the bucket. */
interface Upload {
  readonly key: string;
  readonly content: Uint8Array;
}

/** One installation in one account. */
export interface Installing {
  readonly account: InstallationAccount;
  readonly rollcallAccount: string;
  /** Whether this is the account that Rollcall runs in; otherwise it is the management account. */
  readonly runsHere: boolean;
  readonly stack: string;
  readonly bucket: string;
  readonly uploads: readonly Upload[];
  readonly templateKey: string;
  readonly parameters: Readonly<Record<string, string>>;
}

const FUNCTIONS = ['api', 'reactor', 'scanner', 'tick', 'worker'];

/** @throws CommandError for arguments that cannot be used, and for missing packages */
export function installing(template: unknown, account: InstallationAccount, flags: InstallFlags): Installing {
  const rollcallAccount = flags.account ?? account.accountId;
  const runsHere = rollcallAccount === account.accountId;
  if (!/^\d{12}$/.test(rollcallAccount))
    throw usage(`--account ${rollcallAccount} is not an account id`, 'Expected 12 digits.');
  if (!/^[a-z][a-z0-9-]{0,19}$/.test(flags.stage)) {
    throw usage(
      `--stage ${flags.stage} is not a stage`,
      'Expected a lower-case letter, then up to 19 lower-case letters, digits and hyphens.',
    );
  }
  if (!runsHere && account.accountId !== account.managementAccountId) {
    throw usage(
      `Rollcall is to run in ${rollcallAccount}, but these credentials are for ${account.accountId}`,
      `Fix: use credentials of ${rollcallAccount} or of the management account ${account.managementAccountId}`,
    );
  }
  if (flags.externalId === undefined) {
    throw usage(
      '--external-id is missing',
      'Fix: --external-id VALUE, the same as organization.externalId in the policy; openssl rand -hex 16 makes one',
    );
  }
  const units = flags.units ?? account.rootId;
  if (units === null) throw usage('this account may not list the organization’s root', 'Fix: name it with --units r-…');
  const bucket = `rollcall-${flags.stage}-${account.accountId}-${account.region}`;
  const { prefix, packages } = runsHere ? readPackages(flags.packages) : { prefix: '', packages: [] };
  const text = new TextEncoder().encode(JSON.stringify(template));
  const templateKey = `templates/${hashOf([text])}.json`;
  const parameters = {
    Stage: flags.stage,
    OrganizationId: account.organizationId,
    OrganizationalUnitIds: units,
    ManagementAccountId: account.managementAccountId,
    RollcallAccountId: rollcallAccount,
    ExternalId: flags.externalId,
    PackageBucket: bucket,
    PackagePrefix: prefix,
    ...policyParameters(flags.policySource),
    ...ownParameters(flags.parameter, parametersOf(template)),
  };
  const uploads = [...packages, { key: templateKey, content: text }];
  const stack = `rollcall-${flags.stage}`;
  return { account, rollcallAccount, runsHere, stack, bucket, uploads, templateKey, parameters };
}

/**
 * Two stages cannot create roles of the same name in an account, and the stage `prod` uses the default name.
 * @throws CommandError if a new installation of another stage does not name its member role
 */
export function requireMemberRole({ parameters }: Installing, stage: string): void {
  const { MemberRole, DeployMembersFrom } = parameters;
  if (stage === DEFAULT_STAGE || MemberRole !== undefined || DeployMembersFrom === 'nowhere') return;
  throw usage(
    `the stage ${stage} needs a name for its member role`,
    'If another stage deploys RollcallMember to the same accounts, this stage needs a role with another name.',
    `Fix: --parameter MemberRole=RollcallMember-${stage}, with the same name as organization.memberRole in this stage's policy`,
    'If there is no other stage: --parameter MemberRole=RollcallMember',
  );
}

function usage(message: string, ...hints: readonly string[]): CommandError {
  return new CommandError('Usage', message, { hints });
}

function hashOf(contents: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const content of contents) hash.update(content);
  return hash.digest('hex').slice(0, 16);
}

function readPackages(directory: string): { readonly prefix: string; readonly packages: readonly Upload[] } {
  const missing = FUNCTIONS.filter((name) => !existsSync(join(directory, `${name}.zip`)));
  if (missing.length > 0) {
    throw new CommandError('PackagesMissing', `there are no packages in ${directory}`, {
      hints: [
        `Missing: ${missing.map((name) => `${name}.zip`).join(', ')}.`,
        'Fix: npm ci && npm run package in a checkout of Rollcall, then name its folder .serverless with --packages',
      ],
    });
  }
  const contents = FUNCTIONS.map((name) => ({ name, content: readFileSync(join(directory, `${name}.zip`)) }));
  const prefix = `packages/${hashOf(contents.map(({ content }) => content))}/`;
  return { prefix, packages: contents.map(({ name, content }) => ({ key: `${prefix}${name}.zip`, content })) };
}

function policyParameters(policy: string | undefined): Readonly<Record<string, string>> {
  if (policy === undefined) return {};
  const [, bucket, key] = /^s3:\/\/([a-z0-9.-]+)\/(.+)$/.exec(policy) ?? [];
  if (bucket !== undefined && key !== undefined) return { PolicyBucket: bucket, PolicyKey: key };
  const [, name] = /^ssm:(\/[\w./-]+)$/.exec(policy) ?? [];
  if (name !== undefined) return { PolicyParameter: name };
  throw usage(
    `--policy-source ${policy} names no policy that the functions can read`,
    'Expected s3://BUCKET/KEY or ssm:/PARAMETER.',
  );
}

function ownParameters(given: readonly string[], known: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    given.map((text) => {
      const [, name = '', value = ''] = /^(\w+)=(.*)$/s.exec(text) ?? [];
      if (known.includes(name)) return [name, value];
      throw usage(
        `--parameter ${text} names no parameter of the template`,
        `Expected NAME=VALUE with one of ${known.join(', ')}.`,
      );
    }),
  );
}
