import type * as z from 'zod';
import { complianceFrom, isManaged } from '../../domain/account/compliance.ts';
import type { Condition } from '../../domain/enrollment/condition.ts';
import type { overviewAnswer } from './answers/overview.ts';

type PlacesView = z.infer<typeof overviewAnswer>['ous'];

interface Counted {
  managed: number;
  compliant: number;
  drifted: number;
}

/** Maximum number of places in an answer. */
const MOST = 25;

/** Counts accounts by the places that they belong to: OUs, rules or tags. */
export class Places {
  readonly #counts = new Map<string, Counted>();

  /** @param conditions of one account, as far as they belong to the place */
  add(name: string, conditions: readonly Condition[]): void {
    let [managed, compliant, drifted] = [false, true, false];
    for (const { verdict, driftSince } of conditions) {
      if (!isManaged(verdict)) continue;
      managed = true;
      if (verdict !== 'Compliant') compliant = false;
      if (driftSince !== null) drifted = true;
    }
    if (!managed) return;
    const counted = this.#countsOf(name);
    counted.managed += 1;
    if (compliant) counted.compliant += 1;
    if (drifted) counted.drifted += 1;
  }

  #countsOf(name: string): Counted {
    let counted = this.#counts.get(name);
    if (counted === undefined) {
      counted = { managed: 0, compliant: 0, drifted: 0 };
      this.#counts.set(name, counted);
    }
    return counted;
  }

  view(): PlacesView {
    const all = [...this.#counts].map(([name, { drifted, managed, compliant }]) => {
      return { name, drifted, ...complianceFrom(managed, compliant) };
    });
    const wrong = all.filter(({ drifted }) => drifted > 0);
    wrong.sort((a, b) => b.drifted - a.drifted || (a.percent ?? 0) - (b.percent ?? 0) || (a.name < b.name ? -1 : 1));
    const worst = wrong.slice(0, MOST);
    return { worst, more: wrong.length - worst.length, compliant: all.length - wrong.length };
  }
}
