import * as z from 'zod';
import { AUTOMATION } from '../../../../domain/enrollment/kinds/automation.ts';
import type { AccountId, RuleModeSource } from '../../../../domain/enrollment/model.ts';
import {
  AssociateAccountsCommand,
  DisassociateAccountsCommand,
  GetEnrollmentConfigurationCommand,
  ListAccountsCommand,
  UpdateEnrollmentConfigurationCommand,
} from '../automation-client/index.ts';
import {
  checked,
  type FurtherFacts,
  listedAccounts,
  observedEnrollment,
  pageToken,
  shortText,
  statusReasonOf,
  toPage,
  unreadable,
} from '../responses.ts';
import { type EnrollmentDriver, requestsTo, unsupported } from './driver.ts';

const SERVICE = 'aco-automation';

const page = z.object({ accounts: listedAccounts, nextToken: pageToken });
const texts = z.array(z.unknown()).catch([]);
const batchAnswer = z.object({ accountIds: texts, errors: texts });
/** Whether a configuration applies to the account. AWS omits it for the management account [API_automation_GetEnrollmentConfiguration]. */
const readAnswer = z.object({ organizationEnrollmentConfigurationStatus: z.unknown().optional() });
const request = requestsTo(SERVICE);

export const automationDriver: EnrollmentDriver = {
  list: (nextToken) =>
    request(
      'ListAccounts',
      { maxResults: AUTOMATION.listPageSize, ...(nextToken !== null && { nextToken }) },
      ({ automation }, input) => automation.send(new ListAccountsCommand(input)),
    ),

  parsePage(answer, answered) {
    const { accounts, nextToken } = checked(page, answer, answered);
    return toPage(accounts, nextToken, ruleModeSourceOf);
  },

  read: () =>
    request('GetEnrollmentConfiguration', {}, ({ automation }, input) =>
      automation.send(new GetEnrollmentConfigurationCommand(input)),
    ),

  parseRead(answer, answered) {
    const observed = observedEnrollment(answer, answered);
    const { organizationEnrollmentConfigurationStatus: status } = readAnswer.parse(answer);
    if (status === 'Active') return { ...observed, ruleModeSource: { type: 'configuration', targetId: null } };
    return status === 'Inactive' ? { ...observed, ruleModeSource: null } : observed;
  },

  change(change) {
    const { action, target, status } = change;
    const token = change.clientToken === null ? {} : { clientToken: change.clientToken };
    if (action === 'UpdateEnrollmentConfiguration' && target.scope === 'account') {
      const input = { status, ...token };
      return request(action, input, ({ automation }) =>
        automation.send(new UpdateEnrollmentConfigurationCommand(input)),
      );
    }
    if (target.scope !== 'batch') throw unsupported(SERVICE, change);
    const input = { accountIds: [...target.accountIds], ...token };
    switch (action) {
      case 'AssociateAccounts':
        return request(action, input, ({ automation }) => automation.send(new AssociateAccountsCommand(input)));
      case 'DisassociateAccounts':
        return request(action, input, ({ automation }) => automation.send(new DisassociateAccountsCommand(input)));
      default:
        throw unsupported(SERVICE, change);
    }
  },

  parseChange(answer, { target }) {
    if (target.scope !== 'batch') return { message: statusReasonOf(answer), refused: new Map() };
    return { message: null, refused: refusedOf(target.accountIds, batchAnswer.parse(answer)) };
  },
};

const listedAccount = z.object({
  organizationRuleModeSource: z.object({ sourceType: z.string(), sourceTargetId: z.unknown().optional() }).nullish(),
});
const SOURCE_TYPES: ReadonlyMap<string, RuleModeSource['type']> = new Map([
  ['Applied', 'applied'],
  ['Inherited', 'inherited'],
  ['Direct', 'direct'],
  ['Default', 'default'],
]);

/** [API_automation_OrganizationRuleModeSource] */
function ruleModeSourceOf(account: unknown): FurtherFacts {
  const read = listedAccount.safeParse(account);
  if (!read.success) return { why: unreadable(read.error) };
  const source = read.data.organizationRuleModeSource ?? null;
  if (source === null) return { ruleModeSource: null };
  const type = SOURCE_TYPES.get(source.sourceType);
  return type === undefined
    ? { why: `organization rule mode source ${JSON.stringify(source.sourceType)}` }
    : { ruleModeSource: { type, targetId: shortText(source.sourceTargetId) } };
}

/** Each account of a batch that AWS does not list as successful was refused. AWS's errors are plain texts, most of which name an account. */
function refusedOf(
  requested: readonly AccountId[],
  { accountIds, errors }: z.infer<typeof batchAnswer>,
): ReadonlyMap<AccountId, string | null> {
  const succeeded = new Set(accountIds);
  const reasons = errors.flatMap((error) => (typeof error === 'string' ? [shortText(error) ?? ''] : []));
  const reasonFor = (id: AccountId): string | null => {
    const own = reasons.filter((reason) => reason.includes(id));
    return (own.length > 0 ? own : reasons).join('; ') || null;
  };
  return new Map(requested.filter((id) => !succeeded.has(id)).map((id) => [id, reasonFor(id)]));
}
