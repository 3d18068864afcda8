import { type Verification, verifyEvidence } from '../../../../services/verifier/browser/verify/verify.ts';
import { publicKeyPem } from '../../../../shared/domain/transparency/public-key.ts';
import { writeVerifierKey } from '../../../../shared/domain/transparency/verifier-key.ts';
import { type Bench, makeBench } from '../../../adapters/embedded/stores.ts';
import { account, chainOf, sealAll, time } from '../../../contract/samples.ts';
import { pack } from '../../../support/evidence-kit.ts';
import { ORIGIN, type TestKey, TestLog, testKey } from '../../../support/evidence-log.ts';
import { history } from '../../app/queries/evidence/history.ts';

export const PERIOD = { since: time(0), until: time(86_400_000) };
const turn = async (): Promise<void> => undefined;
export const verified = (zip: Uint8Array, key = '', kept = ''): Promise<Verification> =>
  verifyEvidence(zip, { key, kept, turn });
export const stateOf = ({ checks }: Verification, name: string) => checks.find((check) => check.name === name);
export const failed = ({ checks }: Verification) => checks.find(({ state }) => state === 'failed')?.message;

/** Evidence of 410 entries with three checkpoints: before, during and after the period. */
export async function evidenceSignedWith(key: TestKey) {
  const bench = makeBench();
  try {
    return await packed(bench, key);
  } finally {
    await bench.dispose();
  }
}

let shared: ReturnType<typeof evidenceSignedWith> | null = null;

/** Evidence that all tests of a process share, because packing it takes longer than verifying it. Tests change only copies of it. */
export function evidence(): ReturnType<typeof evidenceSignedWith> {
  shared ??= evidenceSignedWith(testKey());
  return shared;
}

async function packed(bench: Bench, key: TestKey) {
  const store = await bench.open();
  const all = history();
  // The last one was written after the period, which shows that the checkpoint covers all of it.
  const more = [...chainOf(account(7), 400), ...sealAll(account(8), [{ at: PERIOD.until }])];
  await store.ledger.append([...all, ...more]);
  const log = new TestLog(key);
  await log.publish(time(-1));
  log.append(all);
  await log.publish(time(20));
  log.append(more);
  await log.publish(PERIOD.until);
  const notes = (await log.checkpoints(null, null)).map(({ note }) => note);
  const files = await pack(store, { ...PERIOD, log, key: key.verifier(ORIGIN) });
  return { ...files, notes, key: writeVerifierKey(key.verifier(ORIGIN)), pem: publicKeyPem(key.verifier(ORIGIN)) };
}
