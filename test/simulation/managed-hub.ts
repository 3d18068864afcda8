import type { Sandbox } from '../../services/sandbox/engine/sandbox.ts';
import type { EnrollmentId } from '../../shared/domain/enrollment/kinds/index.ts';
import { SeededRandom } from './seeded-random.ts';

/** The share of histories whose policies manage Cost Optimization Hub. */
const SHARE = 0.3;
const KIND = 'costOptimizationHub';
const TARGETS = ['Active', 'Active', 'Active', 'Inactive'] as const;

/**
 * Whether the policies of a history manage Cost Optimization Hub, and how. It uses a separate random stream, so that histories without it stay as they
 * were.
 */
export class ManagedHub {
  readonly #used: boolean;
  readonly #chance: SeededRandom;

  constructor(seed: number, sandbox: Sandbox) {
    this.#chance = new SeededRandom(Math.imul(seed, 0x27d4eb2d) ^ 0x165667b1);
    this.#used = this.#chance.happens(SHARE);
    if (this.#used) this.#enrollSome(sandbox);
  }

  /** The kinds that external actors change. */
  get drifting(): readonly [EnrollmentId, ...EnrollmentId[]] {
    return this.#used ? ['computeOptimizer', 'automation', KIND] : ['computeOptimizer', 'automation'];
  }

  /** Enrolls a share of the accounts before the history begins. The others were never enrolled. */
  #enrollSome(sandbox: Sandbox): void {
    // With nobody enrolled, one call for the whole organization is worth it.
    const share = this.#chance.happens(0.3) ? 0 : this.#chance.random();
    const open = sandbox.accounts().filter(({ state }) => state === 'ACTIVE');
    for (const { accountId } of open.filter(() => this.#chance.happens(share))) {
      const statuses = this.#chance.happens(0.3) ? (['Active', 'Inactive'] as const) : (['Active'] as const);
      for (const status of statuses) sandbox.drift({ changes: [{ accountId, enrollment: KIND, status }] });
    }
  }

  /** Adds the kind to the policies before and after an edit; the edit may begin or end its management. */
  manage([before, after]: readonly [string, string]): readonly [string, string] {
    if (!this.#used) return [before, after];
    const [first, second] = this.#withOwnCall([before, after]);
    return this.#managed(first, second);
  }

  /** Some policies allow the call for the whole organization. */
  #withOwnCall(texts: readonly [string, string]): readonly [string, string] {
    if (texts.some((text) => text.includes('organization:')) || !this.#chance.happens(0.4)) return texts;
    const allow = (text: string): string => `${text}organization: { organizationEnrollment: auto }\n`;
    return [allow(texts[0]), allow(texts[1])];
  }

  #managed(before: string, after: string): readonly [string, string] {
    const both = before === after || this.#chance.happens(0.6);
    const one = this.#chance.happens(0.5);
    const first = both || one ? this.#added(before) : before;
    if (before === after) return [first, first];
    return [first, both || !one ? this.#added(after) : after];
  }

  /** The policy with the kind in its defaults, and sometimes in its first rule or alone. */
  #added(text: string): string {
    const target = this.#chance.of(TARGETS);
    const alone = this.#chance.happens(0.2) && !text.includes('automation');
    const defaults = alone ? /computeOptimizer: \w+/ : /(?=computeOptimizer: )/;
    const managed = text.replace(defaults, alone ? `${KIND}: ${target}` : `${KIND}: ${target}, `);
    if (!this.#chance.happens(0.5)) return managed;
    const other = target === 'Active' ? 'Inactive' : 'Active';
    return managed.replace(/^( {2}- \{ id: .*) \}$/m, `$1, ${KIND}: ${other} }`);
  }
}
