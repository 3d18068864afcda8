import { lowerBound } from './organization.ts';
import { fnv1a } from './random.ts';
import type { Account, OrganizationalUnit, RuleMode } from './types.ts';

/** An account, an OU or the root. */
export type ConfigurationTarget = Account | OrganizationalUnit;
export type StoredConfiguration = {
  targetId: string;
  targetType: 'Account' | 'OrganizationalUnit';
  organizationRuleMode: RuleMode;
};
/** A change that AWS has accepted and is still applying to the accounts below. `mode` is null for a deletion. */
type Change = { unit: OrganizationalUnit; mode: RuleMode | null; due: number };

const MIN_DELAY_MS = 5_000;
const MAX_DELAY_MS = 5 * 60_000;

export function isAccount(target: ConfigurationTarget): target is Account {
  return !('children' in target);
}

/** The ids of a target and of everything above it, the nearest first. */
function lineage(target: ConfigurationTarget): string[] {
  const ids = [target.id];
  for (let unit = isAccount(target) ? target.ou : target.parent; unit !== null; unit = unit.parent) ids.push(unit.id);
  return ids;
}

/**
 * The organization enrollment configurations. A configuration is listed as soon as it is stored; on an OU or the root, it takes effect when AWS has
 * applied it. Effects on enrollments are in `enrollments.ts`.
 */
export class Configurations {
  readonly #delayMs: number | undefined;
  readonly #salt: string;
  /** Sorted by target id. */
  readonly #stored: StoredConfiguration[] = [];
  readonly #applied = new Map<string, RuleMode>();
  /** Sorted by due time. */
  readonly #changes: Change[] = [];
  #accepted = 0;

  /** @param delayMs how long a change of an OU or the root takes; undefined: a time that `salt` determines. */
  constructor(delayMs: number | undefined, salt: string) {
    this.#delayMs = delayMs;
    this.#salt = salt;
  }

  /** All stored configurations, sorted by target id. */
  get all(): readonly StoredConfiguration[] {
    return this.#stored;
  }

  stored(targetId: string): StoredConfiguration | undefined {
    const found = this.#stored[lowerBound(this.#stored, targetId, idOf)];
    return found?.targetId === targetId ? found : undefined;
  }

  /** The configuration in effect for a target: its own, or that of the nearest parent. */
  nearest(target: ConfigurationTarget): { targetId: string; mode: RuleMode } | null {
    if (this.#applied.size === 0) return null;
    for (const targetId of lineage(target)) {
      const mode = this.#applied.get(targetId);
      if (mode !== undefined) return { targetId, mode };
    }
    return null;
  }

  /** Whether a configuration applies to a member, including one that AWS is still applying or removing. */
  covers(account: Account): boolean {
    if (account.management) return false;
    return lineage(account).some((id) => this.#applied.has(id) || this.stored(id) !== undefined);
  }

  /** Whether a change of this target, of a parent, or of something below it is in progress. */
  isChanging(target: ConfigurationTarget): boolean {
    const ids = lineage(target);
    return this.#changes.some(({ unit }) => ids.includes(unit.id) || lineage(unit).includes(target.id));
  }

  /** Accepts a change. @returns when it takes effect */
  accept(target: ConfigurationTarget, mode: RuleMode | null, now: number): number {
    this.#store(target, mode);
    this.#accepted += 1;
    if (isAccount(target)) {
      this.apply(target, mode);
      return now;
    }
    const due = now + this.#delayOf(target);
    const change = { unit: target, mode, due };
    const later = this.#changes.findIndex((each) => each.due > due);
    this.#changes.splice(later === -1 ? this.#changes.length : later, 0, change);
    return due;
  }

  /** Stores a configuration of an OU or the root that is already in effect. */
  preset(unit: OrganizationalUnit, mode: RuleMode): void {
    this.#store(unit, mode);
    this.apply(unit, mode);
  }

  #store(target: ConfigurationTarget, mode: RuleMode | null): void {
    const at = lowerBound(this.#stored, target.id, idOf);
    const targetType = isAccount(target) ? 'Account' : 'OrganizationalUnit';
    const present = this.#stored[at]?.targetId === target.id ? 1 : 0;
    if (mode === null) this.#stored.splice(at, present);
    else this.#stored.splice(at, present, { targetId: target.id, targetType, organizationRuleMode: mode });
  }

  #delayOf({ id }: OrganizationalUnit): number {
    if (this.#delayMs !== undefined) return this.#delayMs;
    return MIN_DELAY_MS + (fnv1a(`${this.#salt}\n${id}\n${this.#accepted}`) % (MAX_DELAY_MS - MIN_DELAY_MS));
  }

  /** Removes the next change that is due, which the caller then applies. */
  takeDue(now: number): Change | null {
    const [next] = this.#changes;
    if (next === undefined || next.due > now) return null;
    this.#changes.shift();
    return next;
  }

  apply({ id }: ConfigurationTarget, mode: RuleMode | null): void {
    if (mode === null) this.#applied.delete(id);
    else this.#applied.set(id, mode);
  }

  /** Forgets an account that has left the organization. */
  forget(account: Account): void {
    if (this.stored(account.id) !== undefined) this.accept(account, null, 0);
  }
}

const idOf = ({ targetId }: StoredConfiguration): string => targetId;
