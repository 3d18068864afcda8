import type { AccountRecord } from '../../domain/account/record.ts';
import { accountEntry } from '../../domain/account/transition.ts';
import { ENROLLMENT_IDS } from '../../domain/enrollment/kinds/index.ts';
import type { AccountId } from '../../domain/enrollment/model.ts';
import type { EntryDraft } from '../../domain/ledger/entry.ts';
import { type OperatorSelector, ouCovers } from '../../domain/policy/index.ts';
import type { Deps } from '../context.ts';
import {
  type ContestedConfiguration,
  contestedConfigurations,
  endContest,
} from '../guardrails/contested-configurations.ts';
import { commandContext, organizationEntry } from '../ledger/organization-entry.ts';
import { writeEntries, writeOrganizationEntry } from '../ledger/write-entries.ts';
import { makeScanDue } from '../schedule/scan-schedule.ts';

export type ResumeDeps = Pick<Deps, 'ledger' | 'records' | 'registers' | 'snapshots' | 'clock' | 'newId' | 'actor'>;

const MESSAGE = 'no longer contested: an operator has resumed it';

const isContested = (record: AccountRecord): boolean =>
  ENROLLMENT_IDS.some((enrollment) => record.conditions[enrollment]?.contested !== undefined);

/**
 * Lets Rollcall change matching contested accounts and organization enrollment configurations again.
 * @param reason recorded in the audit log
 * @returns what was contested: ids of accounts, and the selectors of the root and OUs whose configuration was
 */
export async function resumeContested(
  deps: ResumeDeps,
  selector: OperatorSelector,
  reason: string | null = null,
): Promise<readonly string[]> {
  const message = reason === null ? MESSAGE : `${MESSAGE}: ${reason}`;
  const accounts = await resumeAccounts(deps, selector, message);
  const configurations = await resumeConfigurations(deps, selector, message);
  return [...new Set([...accounts, ...configurations])];
}

/** An `AccountResumed` entry makes each account due immediately. */
async function resumeAccounts(
  deps: ResumeDeps,
  selector: OperatorSelector,
  message: string,
): Promise<readonly AccountId[]> {
  const context = commandContext(deps);
  const resumed: AccountId[] = [];
  for await (const page of deps.records.all()) {
    const matching: AccountRecord[] = [];
    for (const record of page)
      if (isContested(record) && (await matches(deps, selector, record.accountId))) matching.push(record);
    const written = await writeEntries(
      deps,
      matching.map((record) => ({
        record,
        decide: (current: AccountRecord): EntryDraft[] =>
          isContested(current)
            ? [accountEntry(context, 'AccountResumed', current.accountId, null, { detail: { message } })]
            : [],
      })),
    );
    resumed.push(...written.filter(({ entries }) => entries.length > 0).map(({ record }) => record.accountId));
  }
  return resumed;
}

/** The next scan stores them again; it is due immediately. */
async function resumeConfigurations(
  deps: ResumeDeps,
  selector: OperatorSelector,
  message: string,
): Promise<readonly string[]> {
  const found: ContestedConfiguration[] = [];
  for (const each of await contestedConfigurations(deps.registers, deps.clock.now()))
    if (await matchesTarget(deps, selector, each)) found.push(each);
  if (found.length === 0) return [];
  for (const configuration of found) {
    const detail = { message, selector: selector.text, configuration };
    await writeOrganizationEntry(deps, () => organizationEntry(commandContext(deps), 'AccountResumed', { detail }));
  }
  await endContest(deps.registers, new Set(found.map(({ targetId }) => targetId)));
  await makeScanDue(deps.registers, { kind: 'resume', actor: deps.actor, reason: null });
  return found.map(({ target }) => (isPath(target) ? `ou:${target}` : target));
}

const isPath = (target: string): boolean => target.startsWith('/');

async function matchesTarget(deps: ResumeDeps, selector: OperatorSelector, { target }: ContestedConfiguration) {
  if (selector.text === 'all') return true;
  if (!isPath(target)) return matches(deps, selector, target);
  return selector.ou !== null && ouCovers(selector.ou, target);
}

async function matches(deps: ResumeDeps, { text, accounts, match }: OperatorSelector, accountId: AccountId) {
  if (text === 'all' || accounts.includes(accountId)) return true;
  const account = await deps.snapshots.get(accountId);
  return account !== null && !(match.usesTags && account.tags === null) && match.test(account);
}
