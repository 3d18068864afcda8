import { ledgerContract } from '../contract/ledger.contract.ts';
import { queueContract } from '../contract/queue.contract.ts';
import { queueLanesContract } from '../contract/queue-lanes.contract.ts';
import { recordsContract } from '../contract/records.contract.ts';
import { registersContract } from '../contract/registers.contract.ts';
import { factsContract } from '../contract/snapshot-store.contract.ts';
import { manualClock } from '../support/manual-clock.ts';
import { type MemoryStores, memoryStores } from './memory-stores.ts';

/* The simulation is meaningful only if its stores fulfil the same contracts as the product's. */

function subject<Port>(choose: (stores: MemoryStores) => Port) {
  return async () => {
    const clock = manualClock();
    const port = choose(memoryStores(clock));
    return { port, another: async () => port, clock, close: async () => undefined };
  };
}

ledgerContract(
  'simulation',
  subject(({ ledger }) => ledger),
);
recordsContract(
  'simulation',
  subject(({ records }) => records),
);
registersContract(
  'simulation',
  subject(({ registers }) => registers),
);
factsContract(
  'simulation',
  subject(({ snapshots }) => snapshots),
);
queueContract(
  'simulation',
  subject(({ queue, deadLetters, inside }) => ({ queue, deadLetters, putRaw: async (body) => inside.putRaw(body) })),
);
queueLanesContract(
  'simulation',
  subject(({ queue, deadLetters, inside }) => ({ queue, deadLetters, putRaw: async (body) => inside.putRaw(body) })),
);
