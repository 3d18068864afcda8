import { type CheckReason, type CheckResult, fail, pass, skipped, warn } from '../../domain/check-result.ts';
import { signatureMatches, verifierKey } from '../../domain/transparency/verifier-key.ts';
import { ArchiveError } from '../../ports/checkpoint-archive.ts';
import { type CheckpointSigner, SignerError } from '../../ports/checkpoint-signer.ts';
import type { Clock } from '../../ports/system.ts';
import { type LogStatus, logStatus } from '../transparency/checkpoint-state.ts';
import type { Check } from './run-checks.ts';
import type { StoreDoctor } from './store-checks.ts';

export interface CheckpointChecksInput {
  /** The key in the environment; `null`: none. */
  readonly signer: CheckpointSigner | null;
  /** Reads how the archive in the environment protects checkpoints; `null`: there is no archive. @throws ArchiveError */
  readonly lookAtArchive: (() => Promise<ArchiveFacts>) | null;
  /** What is wrong with the environment; `null`: nothing. */
  readonly wrongEnvironment: CheckResult | null;
}

export interface ArchiveFacts {
  readonly label: string;
  readonly days: number;
  /** Whether someone with a special permission can remove a checkpoint earlier. */
  readonly removable: boolean;
}

/** The checks of key and archive, and of what the store says about its checkpoints. */
export function checkpointChecks(
  { signer, lookAtArchive, wrongEnvironment }: CheckpointChecksInput,
  store: StoreDoctor,
  clock: Clock,
): readonly Check[] {
  const notSet = (name: string) => skipped('notUsed', `${name} is not set here`);
  return [
    {
      id: 'checkpointKey',
      needs: [],
      run: async () => wrongEnvironment ?? (signer === null ? notSet('ROLLCALL_CHECKPOINT_KEY') : keyCheck(signer)),
    },
    {
      id: 'checkpointArchive',
      needs: wrongEnvironment === null ? [] : ['checkpointKey'],
      run: async () => (lookAtArchive === null ? notSet('ROLLCALL_CHECKPOINT_ARCHIVE') : archiveCheck(lookAtArchive)),
    },
    { id: 'checkpoints', needs: store.needs, run: () => stateCheck(store, clock) },
  ];
}

/** Not a checkpoint, so that nobody can misuse the signature. */
const TEST_MESSAGE = new TextEncoder().encode('rollcall doctor: can this key sign?\n');

async function keyCheck(signer: CheckpointSigner): Promise<CheckResult> {
  try {
    const key = verifierKey({ name: 'doctor', ...(await signer.open()) });
    const signature = await signer.sign(TEST_MESSAGE);
    const kind = key.type === 'ecdsa' ? 'a P-256 key' : 'an Ed25519 key';
    if (signatureMatches(key)(TEST_MESSAGE, signature)) return pass(`${kind} signed a test message`);
    return fail('wrong', `${kind} signed a test message, but its public key does not verify the signature`);
  } catch (error) {
    if (!(error instanceof SignerError)) throw error;
    return fail(REASONS[error.kind], error.message);
  }
}

async function archiveCheck(look: () => Promise<ArchiveFacts>): Promise<CheckResult> {
  try {
    const { label, days, removable } = await look();
    const found = `${label} protects each new checkpoint for ${counted(days, 'day')}`;
    return pass(removable ? `${found}, except from principals with s3:BypassGovernanceRetention` : found);
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error;
    return fail(REASONS[error.kind], error.message);
  }
}

const REASONS: Readonly<Record<SignerError['kind'] | ArchiveError['kind'], CheckReason>> = {
  unavailable: 'unavailable',
  denied: 'denied',
  invalid: 'wrong',
  conflict: 'wrong',
};

const UNSIGNED = 'none is signed; to create a key: rollcall audit checkpoint --new-key FILE';

/** A log with new entries gets a checkpoint at least daily. */
const MAX_AGE_MS = 25 * 3_600_000;

async function stateCheck(store: StoreDoctor, clock: Clock): Promise<CheckResult> {
  if (store.blocked !== null) return store.blocked;
  const opened = await store.open();
  const status = await logStatus(opened.registers).finally(() => opened.close());
  return stateResult(status, clock.now());
}

function stateResult({ newest, refused, log, ...state }: LogStatus, now: number): CheckResult {
  if (refused !== null) return fail('wrong', `no checkpoint is signed: ${refused.message}`);
  const [broken] = log?.broken ?? [];
  if (broken !== undefined) {
    const others = (log?.broken.length ?? 0) - 1;
    const found = `chain ${broken.chain}, entry ${broken.seq}: ${broken.problem}`;
    const more = others === 0 ? '' : ` (and ${counted(others, 'other chain')})`;
    return fail('wrong', `${found}${more}. No checkpoint covers its new entries:`, ['rollcall audit verify']);
  }
  const problems = [
    ...[state.unsigned, state.unarchived].flatMap((problem) => problem?.message ?? []),
    ...state.witnesses.flatMap(({ name, problem }) => (problem === null ? [] : `witness ${name}: ${problem.message}`)),
  ];
  if (problems.length > 0) return warn('unavailable', problems.join('; '));
  if (newest === null) return skipped('notUsed', UNSIGNED);
  const found = `the newest covers ${counted(newest.size, 'entry', 'entries')} and was signed at ${new Date(newest.at).toISOString()}`;
  if (log !== null && log.size > newest.size && now - newest.at > MAX_AGE_MS) {
    const newer = counted(log.size - newest.size, 'newer entry is', 'newer entries are');
    return warn(
      'missing',
      `${found}; ${newer} not covered. No process has signed since: check that serve or the tick function runs with ` +
        'ROLLCALL_CHECKPOINT_KEY, or set it for the next apply or scan.',
    );
  }
  return pass(found);
}

function counted(amount: number, one: string, many = `${one}s`): string {
  return `${amount} ${amount === 1 ? one : many}`;
}
