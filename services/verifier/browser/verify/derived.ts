import {
  approvalOf,
  lastInChain,
  namesPolicy,
  policiesInForce,
  policyIndex,
  policyLimit,
} from '../../../../shared/app/queries/evidence/policies.ts';
import type { Change } from '../../../../shared/domain/ledger/changes.ts';
import { changesCsvHeader, changesCsvLine } from '../../../../shared/domain/ledger/changes-csv.ts';
import type { LedgerEntry } from '../../../../shared/domain/ledger/entry.ts';
import type { Archive } from './archive.ts';
import { readPolicyIndex } from './evidence-file.ts';
import { type Check, count, EvidenceError, Failures } from './finding.ts';

/** Checks that changes.csv has the changes that follow from the entries, and no others. */
export function checkChanges(archive: Archive, changes: readonly Change[]): Check {
  const failures = new Failures();
  try {
    const found = archive.text('changes.csv');
    let at = 0;
    for (const [number, text] of [changesCsvHeader(), ...changes.map(changesCsvLine)].entries()) {
      if (!found.startsWith(text, at)) {
        failures.add(`changes.csv differs from the entries in row ${number + 1}.`);
        break;
      }
      at += text.length;
    }
    if (!failures.any && at < found.length) failures.add(`changes.csv has more rows than the entries have changes.`);
  } catch (error) {
    if (!(error instanceof EvidenceError)) throw error;
    failures.add(error.message);
  }
  return failures.check(
    'changes',
    `changes.csv has the ${count(changes.length, 'change')} that follow from the entries.`,
  );
}

interface Period {
  readonly since: string;
  readonly until: string;
}

/** Checks approvals.json and policies/index.json, and that the files of policies have the texts of the entries that put them in force. */
export function checkPolicies(archive: Archive, entries: readonly LedgerEntry[], period: Period): Check {
  const failures = new Failures();
  try {
    const files = readPolicyIndex(archive);
    const proved = new Set<string>();
    for (const { id, type, detail } of entries) {
      if (type !== 'PolicyChanged') continue;
      const file = files.get(id);
      const text = detail?.policy?.text;
      if (text === undefined) continue;
      if (file === undefined) failures.add(`policies/index.json does not name the policy of entry ${id}.`);
      else if (archive.text(file) !== text) failures.add(`${file} differs from the text in the audit log.`);
      else proved.add(file);
    }
    for (const [name, content] of recomputed(entries, period)) {
      if (archive.text(name) !== `${JSON.stringify(content, null, 2)}\n`)
        failures.add(`${name} differs from the entries.`);
    }
    const extra = archive.names.find((name) => name.endsWith('.yaml') && !proved.has(name));
    if (extra !== undefined && !failures.any) failures.add(`policies/index.json does not name ${extra} for an entry.`);
  } catch (error) {
    if (!(error instanceof EvidenceError)) throw error;
    failures.add(error.message);
  }
  const policies = entries.filter(({ type }) => type === 'PolicyChanged').length;
  const approvals = entries.filter(({ type }) => type === 'PlanApproved').length;
  const text = `${count(policies, 'policy', 'policies')} and ${count(approvals, 'approval')} as the audit log has them.`;
  return failures.check('policies', text, startLimit(entries, period));
}

/** @returns why the policy from before the period may not be the last one before it; `null`: it is */
function startLimit(entries: readonly LedgerEntry[], { since, until }: Period): string | null {
  const before = entries.filter(({ type, at }) => type === 'PolicyChanged' && at < since);
  const naming = entries.filter((entry) => namesPolicy(entry) && entry.at >= since && entry.at < until);
  const first = naming.reduce<LedgerEntry | null>(
    (one, each) => (one === null || each.seq < one.seq ? each : one),
    null,
  );
  return policyLimit(lastInChain(before), first);
}

/** The files that follow from the entries alone. */
function recomputed(entries: readonly LedgerEntry[], period: Period): readonly (readonly [string, unknown])[] {
  const during = entries.filter(({ at }) => at >= period.since && at < period.until);
  const before = entries.filter(({ type, at }) => type === 'PolicyChanged' && at < period.since);
  const inForce = lastInChain(before);
  const policies = policiesInForce(
    [...(inForce === null ? [] : [inForce]), ...during.filter(({ type }) => type === 'PolicyChanged')],
    period,
  );
  const approvals = during.filter(({ type }) => type === 'PlanApproved').map(approvalOf);
  return [
    ['policies/index.json', { policies: policyIndex(policies) }],
    ['approvals.json', { approvals }],
  ];
}
