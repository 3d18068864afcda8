import { join } from 'node:path';
import { keyFileSigner } from '../../../shared/adapters/system/key-file-signer.ts';
import { createKeyFile } from '../../../shared/adapters/system/new-key-file.ts';
import { bindOrganization } from '../../../shared/app/coordination/organization-binding.ts';
import { NO_CHECKPOINTING } from '../../../shared/app/transparency/checkpointing.ts';
import { TransparencyLog } from '../../../shared/app/transparency/transparency-log.ts';
import { openStore } from '../../../shared/compose/stores/open-embedded.ts';
import { headOf, type LedgerEntry, ORGANIZATION_CHAIN, sealEntry } from '../../../shared/domain/ledger/entry.ts';
import { verifierKey, writeVerifierKey } from '../../../shared/domain/transparency/verifier-key.ts';
import { account, draft } from '../../contract/samples.ts';
import { place } from './support.ts';

const silent = () => undefined;
const logger = { debug: silent, info: silent, warn: silent, error: silent };

export const ORGANIZATION = 'o-7f3a9c2e1d';

export interface SignedStore {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Appends entries to the chain of account 1. */
  append(count: number): Promise<readonly LedgerEntry[]>;
  /** Puts all entries into the log, and signs a checkpoint of it. @returns its note */
  sign(): Promise<string>;
  /** The log takes in all entries; nothing is signed. */
  sequence(): Promise<void>;
  /** Appends an entry with this checkpoint, as somebody could who can write the store. */
  publish(note: string): Promise<void>;
  /** The verifier key under the origin of a checkpoint. */
  keyOf(note: string): string;
}

/** A store with three entries, and a key file `key.pem` beside it. */
export async function signedStore({ id = 'ONE' }: { readonly id?: string } = {}): Promise<SignedStore> {
  const cwd = place();
  const dataDir = join(cwd, '.rollcall');
  const keyFile = join(cwd, 'key.pem');
  const publicKey = await createKeyFile(keyFile);
  let now = Date.UTC(2026, 2, 1, 12);
  let ids = 0;
  const clock = { now: () => now, sleep: async () => undefined };
  const opened = async <T>(use: (store: Awaited<ReturnType<typeof openStore>>) => Promise<T>): Promise<T> => {
    const store = await openStore({ dataDir, readOnly: false, clock });
    try {
      return await use(store);
    } finally {
      await store.close();
    }
  };
  const run = (signs: boolean) =>
    opened(async (store) => {
      const deps = { ...store, clock, newId: () => `${id}${ids++}`, actor: 'test', logger };
      const signer = keyFileSigner({ path: keyFile });
      const parts = signs ? { ...NO_CHECKPOINTING, signer } : NO_CHECKPOINTING;
      now += 3_600_000;
      await new TransparencyLog(deps, 0).run(async () => parts, { until: Number.POSITIVE_INFINITY, last: true });
      const { entries } = await store.ledger.query({ type: 'CheckpointPublished' }, { limit: 1 });
      return entries[0]?.detail?.treeHead?.note ?? '';
    });
  const append = (count: number) =>
    opened(async ({ ledger }) => {
      const chain = account(1);
      const added: LedgerEntry[] = [];
      for (let n = 0; n < count; n += 1) {
        const last = added.at(-1);
        const fields = { chain, at: new Date(now).toISOString(), id: `${id}E${ids++}`.padStart(26, '0') };
        added.push(sealEntry(draft(fields), last === undefined ? await ledger.head(chain) : headOf(last)));
      }
      await ledger.append(added);
      return added;
    });
  const publish = (note: string) =>
    opened(async ({ ledger }) => {
      const treeHead = { note, previous: null, proof: [], witnesses: [] };
      const fields = {
        chain: ORGANIZATION_CHAIN,
        accountId: null,
        at: new Date(now).toISOString(),
        detail: { treeHead },
      };
      const forged = draft({ ...fields, id: `${id}F${ids++}`.padStart(26, '0'), type: 'CheckpointPublished' });
      await ledger.append([sealEntry(forged, await ledger.head(ORGANIZATION_CHAIN))]);
    });
  await opened((store) => bindOrganization(store, { organizationId: ORGANIZATION, arn: 'test' }, now));
  await append(3);
  return {
    ...{ cwd, append, publish, env: { ROLLCALL_CHECKPOINT_KEY: keyFile } },
    sign: () => run(true),
    sequence: async () => {
      await run(false);
    },
    keyOf: (note) => writeVerifierKey(verifierKey({ name: note.split('\n')[0] ?? '', ...publicKey })),
  };
}
