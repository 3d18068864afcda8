import { isManaged } from '../../../../domain/account/compliance.ts';
import { TITLES } from '../../../../domain/enrollment/kinds/index.ts';
import type { OrganizationSnapshot } from '../../../../ports/cloud.ts';
import type { StandingAt } from '../../audit/as-of.ts';
import { count } from '../words.ts';
import { lineOf, property, tokenOf } from './text.ts';
import { uuidOf } from './uuid.ts';

/** The enrollments of one kind that one rule decides. */
interface Group {
  readonly rule: string;
  readonly enrollment: StandingAt['enrollment'];
  readonly standings: readonly StandingAt[];
}

const NO_RULE = 'not recorded';

export function groupsOf(standings: readonly StandingAt[]): readonly Group[] {
  const managed = standings.filter(({ verdict }) => isManaged(verdict));
  const groups = Map.groupBy(managed, ({ rule, enrollment }) => JSON.stringify([rule ?? NO_RULE, enrollment]));
  return [...groups.keys()].sort().flatMap((key) => {
    const each = groups.get(key) ?? [];
    const [first] = each;
    if (first === undefined) return [];
    return [{ rule: first.rule ?? NO_RULE, enrollment: first.enrollment, standings: each }];
  });
}

const controlOf = (rule: string): string => tokenOf('rule', rule);
const objectiveOf = ({ rule, enrollment }: Group): string => tokenOf('rule', rule, enrollment);

/** What each rule of the policy requires. OSCAL calls the rule a control, and what it says about one kind an objective. */
export function objectives(groups: readonly Group[]) {
  const rules = Map.groupBy(groups, ({ rule }) => rule);
  return [...rules].map(([rule, each]) => ({
    'control-id': controlOf(rule),
    parts: each.map((group) => ({
      id: objectiveOf(group),
      name: 'assessment-objective',
      prose: `${TITLES[group.enrollment]} has the status that the rule ${lineOf(rule, NO_RULE)} declares, in every account for which it decides.`,
    })),
  }));
}

export function reviewedControls(groups: readonly Group[]) {
  const controls = [...new Set(groups.map(({ rule }) => controlOf(rule)))];
  const selection = controls.length === 0 ? { 'include-all': {} } : { 'include-controls': controls.map(controlId) };
  return {
    'control-selections': [{ description: 'The rules of the policy that decide for an account.', ...selection }],
  };
}

const controlId = (id: string) => ({ 'control-id': id });

export function finding(scope: string, group: Group) {
  const { rule, enrollment, standings } = group;
  const failed = standings.filter(({ verdict }) => verdict !== 'Compliant');
  const compliant = standings.length - failed.length;
  return {
    uuid: uuidOf(scope, 'finding', rule, enrollment),
    title: `${TITLES[enrollment]} by the rule ${lineOf(rule, NO_RULE)}`,
    description: `${compliant} of ${count(standings.length, 'account')} ${standings.length === 1 ? 'complies' : 'comply'} at the end of the period.`,
    target: {
      type: 'objective-id',
      'target-id': objectiveOf(group),
      status: failed.length === 0 ? { state: 'satisfied', reason: 'pass' } : { state: 'not-satisfied', reason: 'fail' },
    },
    ...(failed.length > 0 && {
      'related-observations': failed.map((each) => ({ 'observation-uuid': observationUuid(scope, each) })),
    }),
  };
}

function observationUuid(scope: string, { accountId, enrollment }: StandingAt): string {
  return uuidOf(scope, 'observation', accountId, enrollment);
}

const accountUuid = (accountId: string): string => uuidOf('account', accountId);

/** One account and kind that does not comply. */
export function observation(scope: string, standing: StandingAt, evidence: string) {
  const { accountId, enrollment, status, message, observed, desired, rule, since } = standing;
  return {
    uuid: observationUuid(scope, standing),
    title: `${TITLES[enrollment]} in ${accountId}: ${status}`,
    description: lineOf(message, `The status is ${status}.`),
    props: [
      property('status', status),
      property('observed', observed),
      property('desired', desired),
      property('rule', rule),
    ],
    methods: ['TEST'],
    subjects: [{ 'subject-uuid': accountUuid(accountId), type: 'inventory-item', title: accountId }],
    'relevant-evidence': [{ href: `#${evidence}`, description: 'The entries of the audit log about this account.' }],
    collected: since,
  };
}

/** The accounts that observations are about. */
export function inventory(standings: readonly StandingAt[], snapshot: OrganizationSnapshot | null) {
  const places = new Map((snapshot?.accounts ?? []).map((account) => [account.id, account]));
  return [...new Set(standings.map(({ accountId }) => accountId))].map((accountId) => {
    const { name = null, ou = null } = places.get(accountId) ?? {};
    return {
      uuid: accountUuid(accountId),
      description: `AWS account ${accountId}`,
      props: [property('account-id', accountId), property('account-name', name), property('ou', ou)],
    };
  });
}
