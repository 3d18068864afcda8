import type { EntryContext } from '../../domain/account/transition.ts';
import { actorName } from '../../domain/actor.ts';
import { ROLLING_MS } from '../../domain/decision/guardrails.ts';
import {
  type Controls,
  NO_CONTROLS,
  type OperatorSuspension,
  restoredControls,
  type StricterControls,
} from '../../domain/decision/operator-controls.ts';
import { ORGANIZATION_CHAIN } from '../../domain/ledger/entry.ts';
import { OtherOrganizationError } from '../../ports/binding.ts';
import { DamagedRegisterError } from '../../ports/registers.ts';
import type { LastChange, LostEntries, Reconcile, Replaced, StoredContent } from '../../ports/restore.ts';
import { registerInfo } from '../coordination/documents.ts';
import { bindingTo, ORGANIZATION } from '../coordination/organization-binding.ts';
import { POLICY } from '../coordination/policy-in-force.ts';
import { RUNS, restoredRun } from '../coordination/run-store.ts';
import { readValue } from '../coordination/typed-register.ts';
import { APPROVALS, restoredApproval } from '../guardrails/approvals.ts';
import { RESERVED_CHANGES, reservationsIn } from '../guardrails/change-reservations.ts';
import { CONTROLS } from '../guardrails/controls.ts';
import { CHANGES_BEFORE_RESTORE, carriedFrom, countsIn } from '../guardrails/rolling-changes.ts';
import { ROLLOUT, restoredRollout } from '../guardrails/rollout-gate.ts';
import { restoredScan, SCAN } from '../schedule/scan-schedule.ts';
import { carriedEntries } from './carried-entries.ts';
import { type RestoreReport, type RestoreRequest, storeRestored } from './restore-entry.ts';

/*
 * The content of each register after a restore, by its restore rule in `coordination/documents.ts`. A restore never relaxes a limit:
 *
 *   controls                  halted, and the suspensions of both stores
 *   changes-before-restore    the changes of both stores in the last 24 hours
 *   approval/, run/           used stays used, stopped stays stopped, and no approval stays valid
 *   rollout                   the stricter gate
 *   organization              the owner of either store
 *   policy                    kept if both agree; otherwise the next scan records it
 *   approvals-until           removed, because no approval stays valid
 *   scan                      ended, and due again, because its stored AWS responses are too old
 *   current                   leases stay held, and calls already made stay counted
 *   currentOrBackup           nothing is announced twice
 */

/** Decides the content of a restored store from the backup and the store that it replaces. */
export function reconcileRestored(request: RestoreRequest): Reconcile<RestoreReport> {
  return (backup, replaced) => new Reconciliation(request, backup, replaced).result();
}

class Reconciliation {
  readonly #request: RestoreRequest;
  readonly #backup: StoredContent;
  readonly #replaced: Replaced;
  readonly #content: StoredContent | null;
  readonly #ours: ReadonlyMap<string, unknown>;
  readonly #theirs: ReadonlyMap<string, unknown>;
  readonly #unreadable: string[] = [];

  constructor(request: RestoreRequest, backup: StoredContent, replaced: Replaced) {
    this.#request = request;
    this.#backup = backup;
    this.#replaced = replaced;
    this.#content = replaced.kind === 'absent' ? null : replaced.content;
    this.#ours = backup.registers();
    this.#theirs = this.#content?.registers() ?? new Map();
  }

  result() {
    const organization = this.#organization();
    const { controls, kept } = this.#controls();
    const carried = this.#carried();
    const entries = carriedEntries(this.#context(), this.#backup, this.#content);
    const registers = this.#registers();
    const put = (name: string, value: unknown): void => {
      if (value !== null) registers.set(name, value);
    };
    put(CONTROLS.name, controls);
    put(CHANGES_BEFORE_RESTORE.name, Object.keys(carried).length === 0 ? null : carried);
    put(ORGANIZATION.name, organization);
    const since = this.#request.now - ROLLING_MS;
    const report: RestoreReport = {
      replaced: this.#replaced.kind,
      merged: this.#content !== null,
      lost: this.#lost(),
      suspensions: kept.map(({ selector }) => selector),
      contested: entries.contested,
      ...countsIn(carried, since),
      underWay: entries.underWay,
      approvalsEnded: this.#approvalsEnded(),
      unreadable: [...new Set(this.#unreadable)],
    };
    return {
      registers,
      drafts: [
        storeRestored(this.#request, report, this.#content?.head(ORGANIZATION_CHAIN) ?? null),
        ...entries.drafts,
      ],
      report,
    };
  }

  /** Reads a register of the replaced store. An unreadable one is reported, but must not prevent the restore. */
  #theirsOf<T>(name: string, read: (value: unknown) => T): T | null {
    if (!this.#theirs.has(name)) return null;
    try {
      return read(this.#theirs.get(name));
    } catch (error) {
      if (!(error instanceof DamagedRegisterError)) throw error;
      this.#unreadable.push(name);
      return null;
    }
  }

  /** @throws OtherOrganizationError */
  #organization(): unknown {
    const known = (value: unknown): string => readValue(ORGANIZATION, value).organizationId;
    const bound = this.#ours.get(ORGANIZATION.name);
    const ours = bound === undefined ? this.#backup.organizationId() : known(bound);
    const theirs = this.#theirsOf(ORGANIZATION.name, known) ?? this.#content?.organizationId() ?? null;
    if (ours !== null && theirs !== null && ours !== theirs) {
      throw new OtherOrganizationError(
        `${this.#request.file} is a backup of organization ${ours}, but this store belongs to organization ${theirs}. The store was left as ` +
          'it is. Use a backup of this store, or restore it into another directory with --data-dir.',
      );
    }
    const binding = this.#theirsOf(ORGANIZATION.name, (value) => readValue(ORGANIZATION, value)) ?? bound ?? null;
    if (binding !== null || ours !== null || theirs === null) return binding;
    // Only the snapshot of the replaced store shows its owner, and the backup may be older than every snapshot.
    return bindingTo(theirs, { at: this.#request.now, by: this.#request.actor });
  }

  #controls(): StricterControls {
    const { file, actor, now, newId } = this.#request;
    const read = (value: unknown): Controls => readValue(CONTROLS, value);
    const ours = this.#ours.has(CONTROLS.name) ? read(this.#ours.get(CONTROLS.name)) : NO_CONTROLS;
    const theirs = this.#theirsOf(CONTROLS.name, read);
    const act = { id: newId(), at: now, by: actor };
    const { controls, kept } = restoredControls(ours, theirs, {
      act,
      why: `restored from ${file} by ${actorName(actor)}`,
      newId,
    });
    const inForce = ({ until }: OperatorSuspension): boolean => until === null || until > now;
    return { controls, kept: kept.filter(inForce) };
  }

  #carried() {
    const { now } = this.#request;
    const parts: ReadonlyMap<string, LastChange>[] = [];
    const carriedIn = (value: unknown): ReadonlyMap<string, LastChange> =>
      new Map(
        Object.entries(readValue(CHANGES_BEFORE_RESTORE, value)).map(([key, [at, optOutAt]]) => [
          key,
          { at, optOutAt },
        ]),
      );
    parts.push(this.#backup.changedSince(now - ROLLING_MS));
    if (this.#ours.has(CHANGES_BEFORE_RESTORE.name)) parts.push(carriedIn(this.#ours.get(CHANGES_BEFORE_RESTORE.name)));
    if (this.#content !== null) parts.push(this.#content.changedSince(now - ROLLING_MS));
    const theirs = [
      this.#theirsOf(CHANGES_BEFORE_RESTORE.name, carriedIn),
      this.#theirsOf(RESERVED_CHANGES.name, reservationsIn),
    ];
    return carriedFrom([...parts, ...theirs.filter((part) => part !== null)], now);
  }

  #registers(): Map<string, unknown> {
    const registers = new Map<string, unknown>();
    for (const name of new Set([...this.#ours.keys(), ...this.#theirs.keys()])) {
      const value = this.#register(name, this.#ours.get(name) ?? null, this.#theirs.get(name) ?? null);
      if (value !== null) registers.set(name, value);
    }
    return registers;
  }

  /** @returns `null`: the restored store has no such register. */
  #register(name: string, ours: unknown, theirs: unknown): unknown {
    const { now } = this.#request;
    const rule = registerInfo(name)?.restore;
    if (rule === 'dropped') return null;
    if (rule === 'current') return theirs;
    if (rule === 'currentOrBackup') return theirs ?? ours;
    if (name.startsWith(APPROVALS.prefix)) return this.#approval(name, ours, theirs);
    if (ours === null) return null;
    if (name.startsWith(RUNS.prefix)) {
      const read = (value: unknown): unknown => restoredRun(name, ours, value, now);
      return this.#theirsOf(name, read) ?? restoredRun(name, ours, null, now);
    }
    if (name === SCAN.name) return restoredScan(readValue(SCAN, ours));
    if (this.#content === null) return ours;
    if (name === POLICY.name) {
      const { hash } = readValue(POLICY, ours);
      return this.#theirsOf(name, (value) => readValue(POLICY, value).hash) === hash ? ours : null;
    }
    if (name === ROLLOUT.name) return this.#theirsOf(name, (value) => restoredRollout(ours, value));
    return ours;
  }

  #approval(name: string, ours: unknown, theirs: unknown): unknown {
    const { now } = this.#request;
    const other = theirs === null ? null : this.#theirsOf(name, (value) => restoredApproval(name, [value], now));
    if (ours !== null) return restoredApproval(name, other === null ? [ours] : [other, ours], now);
    // The backup lacks this approval, so it permits nothing. Only if it was used is it kept, so that it cannot be used again.
    return other?.usedAt == null ? null : other;
  }

  #approvalsEnded(): number {
    const { now } = this.#request;
    const names = new Set(
      [...this.#ours.keys(), ...this.#theirs.keys()].filter((name) => name.startsWith(APPROVALS.prefix)),
    );
    // With infinity as `now`, `restoredApproval` returns the stored expiry instead of an earlier one.
    const open = (name: string, value: unknown): boolean => {
      const { usedAt, expiresAt } = restoredApproval(name, [value], Number.POSITIVE_INFINITY);
      return usedAt === null && expiresAt > now;
    };
    const isOpen = (name: string): boolean => {
      const theirs = this.#theirsOf(name, (value) => open(name, value));
      return theirs ?? (this.#content === null && this.#ours.has(name) && open(name, this.#ours.get(name)));
    };
    return [...names].filter(isOpen).length;
  }

  #lost(): LostEntries | null {
    return this.#replaced.kind === 'store' ? this.#replaced.lost : null;
  }

  #context(): EntryContext {
    const { newId, now, actor } = this.#request;
    return { newId, now, actor, runId: null, policyHash: null };
  }
}
