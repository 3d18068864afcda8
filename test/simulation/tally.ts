import type { LedgerEntry } from '../../shared/domain/ledger/entry.ts';
import { Behaviour } from './behaviour.ts';
import type { Request } from './engine-cloud.ts';
import type { MemoryStores } from './memory-stores.ts';
import { RareStates } from './rare-states.ts';
import type { Verdict } from './verdict.ts';

/** What a history did, in numbers and as a hash. */
export class Tally {
  readonly #behaviour = new Behaviour();
  readonly #rare: RareStates;
  readonly #inside: MemoryStores['inside'];
  #calls = 0;
  #deaths = 0;

  constructor(inside: MemoryStores['inside']) {
    this.#inside = inside;
    this.#rare = new RareStates((id) => inside.accountOf(id));
  }

  readonly reached: RareStates['reached'] = (state) => this.#rare.reached(state);

  called(request: Request, by: string, at: number): void {
    this.#calls += 1;
    this.#behaviour.called(request, by, at);
  }

  acted(...answer: Parameters<RareStates['acted']>): void {
    this.#rare.acted(...answer);
  }

  answered(...answer: Parameters<RareStates['answered']>): void {
    this.#rare.answered(...answer);
  }

  written(entry: LedgerEntry): void {
    this.#behaviour.written(entry);
    this.#rare.written(entry);
  }

  died(): void {
    this.#deaths += 1;
  }

  get result(): Pick<Verdict, 'behaviour' | 'rare' | 'calls' | 'entries' | 'deaths'> {
    const entries = [...this.#inside.chains.values()].reduce((sum, chain) => sum + chain.length, 0);
    const { digest: behaviour } = this.#behaviour;
    return { behaviour, rare: this.#rare.counts, calls: this.#calls, entries, deaths: this.#deaths };
  }
}
