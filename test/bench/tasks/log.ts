import * as z from 'zod';
import { systemClock } from '../../../shared/adapters/system/clock.ts';
import { makeNewId } from '../../../shared/adapters/system/ids.ts';
import { ORGANIZATION } from '../../../shared/app/coordination/organization-binding.ts';
import { writeTyped } from '../../../shared/app/coordination/typed-register.ts';
import { verifyCheckpoint } from '../../../shared/app/queries/audit/verify-checkpoint.ts';
import { LOCAL_PACE } from '../../../shared/app/runtime/maintenance.ts';
import { RUN_MS } from '../../../shared/app/runtime/run-tasks.ts';
import { logReader } from '../../../shared/app/transparency/log-reader.ts';
import { TransparencyLog } from '../../../shared/app/transparency/transparency-log.ts';
import { openStore } from '../../../shared/compose/stores/open-embedded.ts';
import { writeVerifierKey } from '../../../shared/domain/transparency/verifier-key.ts';
import { keyNamed, memorySigner } from '../../unit/app/transparency/checkpoint-parts.ts';
import { benchAccount, fillLedger } from '../audit-ledger.ts';
import { answer, elapsed, inDirectory, LOGGER, taskInput } from '../workbench.ts';

/* Appends with and without the transparency log, then proofs of entries and the verification of the whole store against a checkpoint. */

const input = z.object({ accounts: z.number(), entriesPerAccount: z.number(), proofs: z.number(), rounds: z.number() });
const { accounts, entriesPerAccount, proofs, rounds } = input.parse(taskInput());
const APPENDED = { accounts: 500, entriesPerAccount: 41 };
const { tickMs, logMs: appendMs = RUN_MS } = LOCAL_PACE;

type Store = Awaited<ReturnType<typeof openStore>>;

function logOf(store: Store): TransparencyLog {
  const system = { clock: systemClock, newId: makeNewId(systemClock), logger: LOGGER, actor: 'bench' };
  return new TransparencyLog({ ...store, ...system }, 0);
}

const checkpointing = async () => ({ signer: memorySigner(), archive: null, witnesses: [] });
const ENDLESS = { until: Number.POSITIVE_INFINITY, last: true };

/** How long appending takes, ms. @param keeps whether the log is extended meanwhile, as often as in a daemon */
function appending(keeps: boolean): Promise<number> {
  return inDirectory(async (dataDir) => {
    const store = await openStore({ dataDir, readOnly: false });
    const log = logOf(store);
    const over = new AbortController();
    const keeping = (async () => {
      while (keeps && !over.signal.aborted) {
        await log.run(checkpointing, { until: Date.now() + RUN_MS, last: false, appendMs });
        await systemClock.sleep(tickMs, over.signal);
      }
    })();
    const start = performance.now();
    await fillLedger(store.ledger, APPENDED);
    const ms = elapsed(start);
    over.abort('done');
    await keeping;
    await store.close();
    return ms;
  });
}

async function published(store: Store): Promise<{ readonly note: string; readonly origin: string }> {
  await writeTyped(store.registers, ORGANIZATION, { organizationId: 'o-bench', boundAt: 0, by: 'bench' }, null);
  await logOf(store).run(checkpointing, ENDLESS);
  const newest = await logReader(store).newestCheckpoint();
  if (newest === null) throw new Error('no checkpoint was published');
  return newest;
}

async function proving(store: Store): Promise<readonly number[]> {
  const times: number[] = [];
  for (let n = 0; n < proofs; n += 1) {
    // Accounts from all over the log, each once.
    const [entry] = await store.ledger.read(benchAccount((n * 7919) % accounts), (n * 13) % (entriesPerAccount - 1), 1);
    if (entry === undefined) throw new Error('the ledger of the bench lacks an entry');
    const start = performance.now();
    await logReader(store).proofOf(entry);
    times.push(elapsed(start));
  }
  return times;
}

await inDirectory(async (dataDir) => {
  const store = await openStore({ dataDir, readOnly: false });
  const { entries } = await fillLedger(store.ledger, { accounts, entriesPerAccount });
  const { note, origin } = await published(store);
  const proof = await proving(store);
  const verifyPerSecond: number[] = [];
  const cpu = process.cpuUsage();
  for (let round = 0; round < rounds; round += 1) {
    const start = performance.now();
    const { ok } = await verifyCheckpoint(store, { note, key: writeVerifierKey(keyNamed(origin)) });
    if (!ok) throw new Error('the ledger of the bench does not verify');
    verifyPerSecond.push((entries * 1_000) / elapsed(start));
  }
  const { user, system } = process.cpuUsage(cpu);
  await store.close();
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round += 1) ratios.push((await appending(true)) / (await appending(false)));
  answer({ entries, proof, verifyPerSecond, verifyPerCpuSecond: (rounds * entries * 1e6) / (user + system), ratios });
});
