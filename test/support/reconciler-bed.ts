import { afterEach, beforeEach } from 'vitest';
import { policyOf } from './domain-kit.ts';
import type { Trouble, WireCall } from './memory-cloud.ts';
import { Workshop, type WorkshopOptions } from './workshop.ts';

/** Guardrails that never trip. */
export const NO_CAPS = 'guardrails: { maxChanges: { percent: 100 }, maxOptOuts: { percent: 100 } }';
const ENROLL = policyOf('computeOptimizer: Active', NO_CAPS);

/** The workshop of the current test, and the faults of its cloud. */
class ReconcilerBed {
  /** The faults of the next calls. */
  trouble: (call: WireCall) => Trouble | null | undefined = () => null;
  #shop: Workshop | null = null;

  get shop(): Workshop {
    if (this.#shop === null) throw new Error('the test has to open a workshop first');
    return this.#shop;
  }

  async open(options: Partial<WorkshopOptions> = {}): Promise<Workshop> {
    const cloud = { ...options.cloud, trouble: (call: WireCall) => this.trouble(call) };
    this.#shop = await Workshop.open({ policy: ENROLL, ...options, cloud });
    return this.#shop;
  }

  /** A fault for the first `times` changes. */
  failing(times: number, what: Trouble): void {
    let left = times;
    this.trouble = ({ operation }) => (isChange(operation) && left-- > 0 ? what : null);
  }

  /** The changes, by operation and number of accounts. */
  changes(): readonly string[] {
    return this.shop.cloud.changes.map(({ operation, accountIds }) => `${operation} ${accountIds.length}`);
  }

  /** Opens a workshop whose members have Compute Optimizer enabled, so that only Automation can drift. */
  async enrolled(options: Partial<WorkshopOptions>): Promise<void> {
    await this.open(options);
    for (const { id } of this.shop.members) this.shop.cloud.set(id, { computeOptimizer: { status: 'Active' } });
  }

  async close(): Promise<void> {
    await this.#shop?.checkInvariants();
    await this.#shop?.close();
    this.#shop = null;
  }
}

export const isChange = (operation: string): boolean => /^Update|ssociate/.test(operation);

/** A bed for the tests of one file: every workshop is checked against the invariants and closed after its test. */
export function reconcilerBed(): ReconcilerBed {
  const bed = new ReconcilerBed();
  beforeEach(() => {
    bed.trouble = () => null;
  });
  afterEach(() => bed.close());
  return bed;
}
