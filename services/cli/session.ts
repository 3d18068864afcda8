import { existsSync } from 'node:fs';
import type { Runtime } from '../../shared/compose/runtime.ts';
import type { OpenStore, StoreProfile } from '../../shared/compose/stores/profile.ts';
import { DEFAULT_POLICY } from '../../shared/config/config.ts';
import type { FileError } from '../../shared/config/file-error.ts';
import type { Finding } from '../../shared/domain/policy/file/findings.ts';
import type { CompiledPolicy } from '../../shared/domain/policy/index.ts';
import type { CliContext } from './context.ts';
import { CommandError, PolicyError } from './errors.ts';

/** A valid policy with its warnings. */
export interface LoadedPolicy {
  readonly file: string;
  readonly policy: CompiledPolicy;
  readonly warnings: readonly Finding[];
  /** The text of the file. */
  readonly source: Uint8Array;
}

/** The policy comes from stdin (`--policy -`). */
export const STDIN = '-';

/**
 * Reads the policy that `--policy` names (`-`: stdin), or `rollcall.yaml` of the working directory.
 * @throws PolicyError, FileError
 */
export async function loadPolicy(context: CliContext, named: string | undefined): Promise<LoadedPolicy> {
  const file = named ?? DEFAULT_POLICY;
  if (named === undefined && !existsSync(file)) {
    const advice = `Name one with --policy F, or write a first one with \`${context.config.program} policy init\`.`;
    throw new CommandError('PolicyMissing', `There is no ${DEFAULT_POLICY} in this directory. ${advice}`);
  }
  const { readPolicyFile, readPolicyStream } = await import('../../shared/config/policy-file.ts');
  if (file !== STDIN) return policyOf({ file, source: readPolicyFile(file) }, context);
  context.logger.debug('reading the policy from stdin');
  return policyOf({ file: 'stdin', source: await readPolicyStream(process.stdin) }, context);
}

/** Checks the text of a policy and compiles it. @throws PolicyError */
export async function policyOf(
  { file, source }: Pick<LoadedPolicy, 'file' | 'source'>,
  { clock, env }: Pick<CliContext, 'clock' | 'env'>,
): Promise<LoadedPolicy> {
  const { parsePolicy, compilePolicy } = await import('../../shared/domain/policy/index.ts');
  const result = parsePolicy(source, { file, now: clock.now(), env });
  if (!result.ok) throw new PolicyError(file, result.findings);
  return { file, policy: compilePolicy(result.policy), warnings: result.warnings, source };
}

/** Like {@link loadPolicy}, for commands that also work without a policy: a named policy must be valid; an invalid `rollcall.yaml` is ignored with a warning. */
export async function loadPolicyIfAny(context: CliContext, named: string | undefined): Promise<LoadedPolicy | null> {
  if (named !== undefined) return loadPolicy(context, named);
  if (!existsSync(DEFAULT_POLICY)) return null;
  try {
    return await loadPolicy(context, undefined);
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    noteUnusedPolicy(context, error);
    return null;
  }
}

/** Warns that the command continues without the policy. */
export function noteUnusedPolicy({ output }: CliContext, error: PolicyError | FileError): void {
  const [problem, advice] =
    error instanceof PolicyError
      ? [error.problem, ` (rollcall policy validate ${error.file} shows the errors)`]
      : [error.message, ''];
  output.note(`warning: continuing without a policy: ${problem}${advice}`);
}

/** Connects to the store and to AWS, and closes both after `use`. With `readOnly` (a dry run), the store is neither created nor changed. */
export async function withApp<T>(
  { store, logger, clock, tracer: openTracer }: CliContext,
  policy: CompiledPolicy,
  readOnly: boolean,
  use: (app: Runtime) => Promise<T>,
  stop?: AbortSignal,
): Promise<T> {
  const [{ createRuntime }, tracer] = await Promise.all([import('../../shared/compose/runtime.ts'), openTracer()]);
  const stopping = stop === undefined ? {} : { stop };
  const app = await createRuntime(store, { policy, logger, tracer, readOnly, clock, ...stopping });
  return usingIt(app, use);
}

/** Opens the store that `--store` names, which must exist, and closes it after `use`. */
export async function withStore<T>(
  { store, clock }: CliContext,
  readOnly: boolean,
  use: (store: OpenStore) => Promise<T>,
): Promise<T> {
  return usingIt(await store.open({ clock, readOnly }), use);
}

/** Backup and restore of the store in use. @throws CommandError for a store that has none */
export function backupOf({ store }: CliContext, command: string): NonNullable<StoreProfile['backup']> {
  if (store.backup !== null) return store.backup;
  throw new CommandError(
    'StoreNotAvailable',
    `${command} is for the embedded store. Use point-in-time recovery of the table; after a recovery, run: rollcall restore --acknowledge --reason TEXT`,
  );
}

export async function usingIt<T, C extends { close(): Promise<void> }>(
  opened: C,
  use: (opened: C) => Promise<T>,
): Promise<T> {
  try {
    return await use(opened);
  } finally {
    await opened.close();
  }
}
