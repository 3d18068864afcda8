import { EMPTY_CHAIN } from '../../domain/ledger/entry.ts';
import { DamagedRegisterError, type Registers } from '../../ports/registers.ts';
import { readTyped, type Typed, update, writeTyped } from '../coordination/typed-register.ts';
import type { LoggedEntry } from './bundle.ts';
import { type ChainState, LOG_CHAINS, LOG_RUNS, type Place } from './log-documents.ts';

/*
 * Where the log has the entries of a chain. Entries with consecutive numbers and consecutive indexes share one place, so the places follow from the
 * order of the log alone, however often they are written. A full list of places moves to a page of its own.
 */

const PAGE = 100;

/** Entries of one chain with consecutive indexes in the log. */
export interface Stretch {
  readonly index: number;
  readonly entries: LoggedEntry[];
}

/** What the log has of a chain; `null`: nothing. */
export function readChain(registers: Pick<Registers, 'read'>, chain: string): Promise<Typed<ChainState> | null> {
  return readTyped(registers, LOG_CHAINS.named(chain));
}

/** The number of the last entry of a chain that the log has; 0: none. */
export async function loggedThrough(registers: Pick<Registers, 'read'>, chain: string): Promise<number> {
  return (await readChain(registers, chain))?.value.seq ?? 0;
}

interface Advance {
  readonly chain: string;
  readonly stretches: readonly Stretch[];
  /** What the log had of the chain before the entries were appended; `undefined`: not read. */
  readonly known: Typed<ChainState> | null | undefined;
  /** Fails if the bundle no longer has the entries, because a backup has replaced the store. */
  readonly requireBundle: () => Promise<void>;
}

/** Records the places of entries that a bundle has. Only moves forward, so it may be repeated. */
export async function advanceChain(
  registers: Registers,
  { chain, stretches, known, requireBundle }: Advance,
): Promise<Typed<ChainState> | null> {
  const reread = async (): Promise<Typed<ChainState> | null> => {
    const current = await readChain(registers, chain);
    // In this order: if a restore comes after it, the version that was read is gone.
    await requireBundle();
    return current;
  };
  for (let current = known === undefined ? await reread() : known; ; current = await reread()) {
    if (current === null) {
      // A version, without which the first write would also succeed in a store that a backup has replaced.
      await writeTyped(registers, LOG_CHAINS.named(chain), NO_ENTRIES, null);
      continue;
    }
    const { state, full } = advanced(chain, current.value, stretches);
    if (state === current.value) return current;
    for (const { page, places } of full)
      await update(registers, LOG_RUNS.named(`${chain}/${page}`), () => ({ places }));
    const version = await writeTyped(registers, LOG_CHAINS.named(chain), state, current.version);
    if (version !== null) return { value: state, version };
  }
}

interface FullPage {
  readonly page: number;
  readonly places: readonly Place[];
}

const NO_ENTRIES: ChainState = { ...EMPTY_CHAIN, places: [], earlier: [] };

function advanced(chain: string, known: ChainState, stretches: readonly Stretch[]) {
  let state = known;
  const full: FullPage[] = [];
  for (const { entries, index } of stretches) {
    const [first, last] = [entries[0], entries.at(-1)];
    if (first === undefined || last === undefined || last.seq <= state.seq) continue;
    if (state.seq > 0 && first.seq > state.seq + 1) {
      throw new DamagedRegisterError(
        LOG_CHAINS.named(chain).name,
        `seq: it is ${state.seq}, but the log continues with entry ${first.seq} of the chain`,
      );
    }
    state = withPlace(state, [first.seq, index], last, full);
  }
  return { state, full };
}

function withPlace(state: ChainState, place: Place, { seq, hash }: LoggedEntry, full: FullPage[]): ChainState {
  const { places, earlier } = state;
  const [lastSeq, lastIndex] = places.at(-1) ?? [];
  if (lastSeq === undefined || lastIndex === undefined) return { seq, hash, places: [place], earlier };
  if (place[1] - lastIndex === place[0] - lastSeq) return { ...state, seq, hash };
  if (places.length < PAGE) return { seq, hash, places: [...places, place], earlier };
  full.push({ page: earlier.length, places });
  return { seq, hash, places: [place], earlier: [...earlier, places[0]?.[0] ?? 1] };
}

/**
 * The index of an entry in the log, also of one that was pruned; `null`: the log does not have it. A wrong index only gives a proof that fails, so it
 * needs no trust.
 */
export async function findIndex(
  registers: Pick<Registers, 'read'>,
  chain: string,
  seq: number,
): Promise<number | null> {
  const state = (await readChain(registers, chain))?.value ?? null;
  if (state === null || seq > state.seq) return null;
  const places = await placesAround(registers, chain, state, seq);
  const place = places.findLast(([first]) => first <= seq);
  return place === undefined ? null : place[1] + (seq - place[0]);
}

async function placesAround(
  registers: Pick<Registers, 'read'>,
  chain: string,
  { places, earlier }: ChainState,
  seq: number,
): Promise<readonly Place[]> {
  if (seq >= (places[0]?.[0] ?? 0)) return places;
  const page = earlier.findLastIndex((first) => first <= seq);
  if (page === -1) return [];
  const document = LOG_RUNS.named(`${chain}/${page}`);
  const found = await readTyped(registers, document);
  if (found === null) throw new DamagedRegisterError(document.name, 'it does not exist');
  return found.value.places;
}
