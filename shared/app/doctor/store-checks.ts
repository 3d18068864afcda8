import { actorName } from '../../domain/actor.ts';
import { type CheckResult, fail, pass, quoted, skipped, warn } from '../../domain/check-result.ts';
import { toIso } from '../../domain/time.ts';
import type { SnapshotStore } from '../../ports/snapshot-store.ts';
import type { Clock } from '../../ports/system.ts';
import type { Stores } from '../context.ts';
import { organizationOf } from '../coordination/organization-binding.ts';
import { readControls } from '../guardrails/controls.ts';
import { type OutboxView, overdueEntries } from '../notifications/outbox-state.ts';
import type { CloudFacts } from './cloud-checks.ts';
import type { Check } from './run-checks.ts';

/** The checks of `rollcall doctor` that concern the store. */
export interface StoreDoctor {
  readonly checks: readonly Check[];
  /** The checks that must pass before the store is opened. */
  readonly needs: Check['needs'];
  /** Why the store cannot be opened even if those checks pass; `null`: it can. */
  readonly blocked: CheckResult | null;
  open(): Promise<Pick<Stores, 'ledger' | 'registers' | 'snapshots'> & { close(): Promise<void> }>;
  /** The stored snapshot; `null`: the checks do not read it. */
  readonly snapshot: Pick<SnapshotStore, 'load'> | null;
  /** The deployment's event bus; `null`: none. */
  readonly eventBus: string | null;
  close(): void;
}

/** Checks which organization owns the store. A store that no command has bound yet has no owner. */
export function storeOrganizationCheck(store: StoreDoctor, cloud: CloudFacts): Check {
  return {
    id: 'storeOrganization',
    needs: ['organization', ...store.needs],
    async run() {
      if (store.blocked !== null) return store.blocked;
      const { organizationId } = await cloud.organization();
      const opened = await store.open();
      const owner = await organizationOf(opened).finally(() => opened.close());
      if (owner === null)
        return pass(`the store is not bound to an organization yet; the first run binds it to ${organizationId}`);
      if (owner === organizationId) return pass(`the store belongs to ${owner}`);
      return fail(
        'wrong',
        `the store belongs to organization ${owner}, but the credentials belong to ${organizationId}: every command that reads AWS fails. ` +
          `Use credentials of ${owner}, or keep ${organizationId} in a store of its own: another --data-dir, or another table and queues.`,
      );
    },
  };
}

/** Warns while changes are halted, by an operator or by a restore. */
export function enforcementCheck(store: StoreDoctor): Check {
  return {
    id: 'enforcement',
    needs: store.needs,
    async run() {
      if (store.blocked !== null) return store.blocked;
      const opened = await store.open();
      const { halt } = await readControls(opened.registers).finally(() => opened.close());
      if (halt === null) return skipped('notUsed', 'changes are not halted');
      const why = halt.reason === null ? '' : ` (${halt.reason})`;
      return warn('wrong', `halted since ${toIso(halt.at)} by ${actorName(halt.by)}${why}. No process makes changes:`, [
        'rollcall resume',
      ]);
    },
  };
}

/** Counts the entries that wait for the event bus. */
export function outboxCheck(store: StoreDoctor, clock: Clock, bus: string | null): Check {
  if (bus === null) {
    return { id: 'outbox', needs: [], run: async () => skipped('notUsed', 'no event bus is configured') };
  }
  return {
    id: 'outbox',
    needs: store.needs,
    async run() {
      const opened = await store.open();
      try {
        return outboxResult(await overdueEntries(opened, clock.now()), bus);
      } finally {
        await opened.close();
      }
    },
  };
}

/** Judges the event bus by the entries that have waited for it too long; `null`: there is none. */
function outboxResult(outbox: OutboxView | null, bus: string): CheckResult {
  if (outbox === null) return pass(`no entry has waited for more than 5 minutes for event bus ${bus}`);
  const { overdue, more, oldestAt, refusal } = outbox;
  const many = `${more ? 'more than ' : ''}${overdue} ${overdue === 1 ? 'entry waits' : 'entries wait'}`;
  const found = `${many} for event bus ${bus}, the oldest since ${oldestAt}`;
  if (refusal === null) {
    return fail(
      'missing',
      `${found}. The bus has not refused any, so no process publishes: run the tick function or serve.`,
    );
  }
  const { at, code, message } = refusal;
  const commands = [`aws events describe-event-bus --name ${quoted(bus)}`];
  return fail(
    'wrong',
    `${found}. Last refusal at ${at}: ${code}: ${message}. The bus must exist and allow events:PutEvents to the publisher:`,
    commands,
  );
}
