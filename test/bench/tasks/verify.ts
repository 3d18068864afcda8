import * as z from 'zod';
import { verifyLedger } from '../../../shared/app/queries/audit/verify.ts';
import { openStore } from '../../../shared/compose/stores/open-embedded.ts';
import { answer, elapsed, peakMb, taskInput } from '../workbench.ts';

/* `rollcall audit verify` of the store of another task. */

const { dataDir } = z.object({ dataDir: z.string() }).parse(taskInput());
const store = await openStore({ dataDir, readOnly: true });
const start = performance.now();
const { ok, entries, fault } = await verifyLedger(store.ledger, store.records);
const ms = elapsed(start);
await store.close();
answer({ ok, entries, fault, ms, peakMb: peakMb() });
