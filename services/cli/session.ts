import { existsSync } from 'node:fs';
import type { OpenStore, openStore } from '../../shared/compose/embedded-store.ts';
import type { App } from '../../shared/compose/process-runtime.ts';
import type { AwsStoreEnv } from '../../shared/config/aws-env.ts';
import { DEFAULT_POLICY } from '../../shared/config/config.ts';
import type { Finding } from '../../shared/domain/policy/file/findings.ts';
import type { CompiledPolicy } from '../../shared/domain/policy/index.ts';
import { StoreError } from '../../shared/ports/store-error.ts';
import type { CliContext } from './context.ts';
import { CommandError, PolicyError } from './errors.ts';

type EmbeddedStore = Awaited<ReturnType<typeof openStore>>;

/** A policy that may be used, and what is doubtful in it. */
export interface LoadedPolicy {
  readonly file: string;
  readonly policy: CompiledPolicy;
  readonly warnings: readonly Finding[];
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
  const fromStdin = file === STDIN;
  if (fromStdin) context.logger.debug('reading the policy from stdin');
  const result = fromStdin
    ? await readPolicyStream(process.stdin, context.clock.now(), context.env)
    : readPolicyFile(file, context.clock.now(), context.env);
  const name = fromStdin ? 'stdin' : file;
  if (!result.ok) throw new PolicyError(name, result.findings);
  const { compilePolicy } = await import('../../shared/domain/policy/index.ts');
  return { file: name, policy: compilePolicy(result.policy), warnings: result.warnings };
}

/** As {@link loadPolicy}, where a command can do without one: a named policy must be sound, `rollcall.yaml` only if it is there. */
export async function loadPolicyIfAny(context: CliContext, named: string | undefined): Promise<LoadedPolicy | null> {
  if (named !== undefined) return loadPolicy(context, named);
  if (!existsSync(DEFAULT_POLICY)) return null;
  try {
    return await loadPolicy(context, undefined);
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    context.output.note(
      `warning: ${error.message}; going on without it (rollcall policy validate shows what is wrong)`,
    );
    return null;
  }
}

/** Everything, for the time of `use`. A dry run (`readOnly`) neither makes nor changes anything in the store. */
export async function withApp<T>(
  context: CliContext,
  policy: CompiledPolicy,
  readOnly: boolean,
  use: (app: App) => Promise<T>,
  stop?: AbortSignal,
): Promise<T> {
  const aws = await awsOf(context);
  const { composeApp } = await import('../../shared/compose/process-runtime.ts');
  const { config, logger, clock } = context;
  const common = { dataDir: config.dataDir, aws, policy, logger, readOnly, clock };
  const app = await composeApp({ ...common, ...(stop !== undefined && { stop }) });
  return usingIt(app, use);
}

/** Just the store that `--store` names, which has to be there. */
export async function withStore<T>(
  context: CliContext,
  readOnly: boolean,
  use: (store: OpenStore) => Promise<T>,
): Promise<T> {
  const { clock } = context;
  const env = await awsOf(context);
  if (env === null) return withEmbeddedStore(context, readOnly, use);
  const [{ openAwsStore }, { makeNewId }] = await Promise.all([
    import('../../shared/compose/aws-store.ts'),
    import('../../shared/compose/system.ts'),
  ]);
  return usingIt(await openAwsStore({ env, clock, newId: makeNewId(clock) }), use);
}

/** For what only the embedded store has. */
export async function withEmbeddedStore<T>(
  context: CliContext,
  readOnly: boolean,
  use: (store: EmbeddedStore) => Promise<T>,
): Promise<T> {
  const { openStore } = await import('../../shared/compose/embedded-store.ts');
  const { config, clock } = context;
  return usingIt(await openStore({ dataDir: config.dataDir, clock, readOnly, create: false }), use);
}

/**
 * For commands that write but look first, without writing: the embedded store of an older version, which cannot be looked at so, is brought up
 * to date. None is made.
 */
export async function bringUpToDate(context: CliContext): Promise<void> {
  if (context.config.store !== 'embedded') return;
  const nothing = async (): Promise<void> => undefined;
  try {
    await withEmbeddedStore(context, true, nothing);
  } catch (error) {
    if (!(error instanceof StoreError) || (error.code !== 'OlderVersion' && error.code !== 'NotFound')) throw error;
    if (error.code === 'OlderVersion') await withEmbeddedStore(context, false, nothing);
  }
}

/** Where the aws runtime's stores are; `null`: the embedded one is meant. @throws ConfigError naming what is not set */
export async function awsOf({ config, env }: CliContext): Promise<AwsStoreEnv | null> {
  if (config.store === 'embedded') return null;
  const { readAwsStoreEnv } = await import('../../shared/config/aws-env.ts');
  return readAwsStoreEnv(env);
}

/** The store in a word or two, for sentences. */
export function storeName({ config, env }: CliContext): string {
  return config.store === 'embedded' ? config.dataDir : `table ${env['ROLLCALL_TABLE'] ?? ''}`;
}

/** @throws ConfigError for a command that has no meaning in the aws runtime */
export function refuseAws({ config }: CliContext, command: string, advice: string): void {
  if (config.store !== 'aws') return;
  throw new CommandError('StoreNotAvailable', `rollcall ${command} is for the embedded store. ${advice}`);
}

async function usingIt<T, C extends { close(): Promise<void> }>(opened: C, use: (opened: C) => Promise<T>): Promise<T> {
  try {
    return await use(opened);
  } finally {
    await opened.close();
  }
}
