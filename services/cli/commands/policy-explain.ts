import { type ExplanationView, explain } from '../../../shared/app/queries/explanation.ts';
import type { Attributes } from '../../../shared/config/attributes.ts';
import type { AccountRecord } from '../../../shared/domain/account/record.ts';
import { ENROLLMENT_IDS } from '../../../shared/domain/enrollment/kinds/index.ts';
import type { Finding } from '../../../shared/domain/policy/file/findings.ts';
import type { Exemption, OrganizationAccount } from '../../../shared/domain/policy/types.ts';
import { oneLine } from '../../../shared/domain/text.ts';
import type { CliContext } from '../context.ts';
import { CommandError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { accountNamed } from '../named-account.ts';
import { noteWarnings } from '../run-warnings.ts';
import { type LoadedPolicy, loadPolicy, withStore } from '../session.ts';
import { explanationText } from '../ui/explain-text.ts';
import { instant } from '../ui/words.ts';
import { readWithProgress } from '../watch.ts';

export interface ExplainFlags {
  readonly policy?: string;
  readonly attributes?: string;
}

/** Where an account's name, OU and tags were taken from. */
interface Source {
  readonly account: OrganizationAccount;
  readonly source: 'snapshot' | 'aws' | 'attributes';
  /** ISO 8601; `null`: no snapshot was used. */
  readonly snapshotAt: string | null;
  /** The account's recorded state; missing if AWS was read or `--attributes` describe the account. */
  readonly record?: AccountRecord | null;
}

export async function runExplain(context: CliContext, id: string | undefined, flags: ExplainFlags): Promise<number> {
  const given = flags.attributes === undefined ? null : await attributesOf(flags.attributes);
  const named = id ?? given?.id;
  if (named === undefined && given === null) {
    throw new CommandError(
      'Usage',
      'policy explain needs an account id or name, or --attributes that describe an account.',
    );
  }
  const accountId = named === undefined ? NO_ID : await accountNamed(context, 'policy explain', named);
  const loaded = await loadPolicy(context, flags.policy);
  const { policy, warnings } = loaded;
  const { account, source, snapshotAt, record = null } = await sourceOf(context, accountId, given, loaded);
  if (policy.usesTags && account.tags === null) {
    throw new CommandError(
      'TagsUnreadable',
      `The policy uses tags, but AWS did not return usable tags of account ${accountId}, so the policy cannot be evaluated for it. ` +
        'Try again, or describe the account with --attributes.',
    );
  }
  const explanation = explain(policy, account, record);
  const now = context.clock.now();
  const exemptions = ENROLLMENT_IDS.map((enrollment) => ({
    enrollment,
    exemption: policy.exemption(accountId, enrollment, now),
  }));
  const expired = policy.policy.exemptions.filter(
    ({ accounts, endsAt }) => accounts.includes(accountId) && endsAt <= now,
  );
  const { output } = context;
  noteWarnings(output, aboutRulesOf(explanation, warnings));
  const more = { exemptions, expired, from: fromText(source, snapshotAt) };
  output.result({ ...explanation, exemptions, expiredExemptions: expired, source, snapshotAt, warnings }, () =>
    explainText(explanation, more, output.style),
  );
  return EXIT.ok;
}

/** The account id used if only attributes are given. It is not a real id, so no rule can name it. */
const NO_ID = '000000000000';

async function attributesOf(text: string): Promise<Attributes> {
  const { readAttributes } = await import('../../../shared/config/attributes.ts');
  return readAttributes(text);
}

/** Attributes from the command line override those that the last scan stored. AWS is read only if none are given. */
async function sourceOf(
  context: CliContext,
  accountId: string,
  given: Attributes | null,
  loaded: LoadedPolicy,
): Promise<Source> {
  if (given === null) {
    return (await fromSnapshot(context, accountId, loaded)) ?? (await fromAws(context, accountId, loaded));
  }
  const { id: _, ...attributes } = given;
  const known = accountId === NO_ID || !context.store.local ? null : await fromSnapshot(context, accountId, loaded);
  const defaults = { id: accountId, name: '', ou: '/', state: 'ACTIVE', management: false, tags: {} } as const;
  const account = { ...(known?.account ?? defaults), ...attributes };
  return { account, source: 'attributes', snapshotAt: known?.snapshotAt ?? null };
}

function fromText(source: Source['source'], snapshotAt: string | null): string {
  if (source === 'attributes')
    return snapshotAt === null ? 'as given' : `as given; otherwise from the snapshot of ${instant(snapshotAt)}`;
  return snapshotAt === null ? 'read from AWS now' : `from the snapshot of ${instant(snapshotAt)}`;
}

/** Only warnings about rules that match this account; `policy validate` shows all warnings. */
function aboutRulesOf({ rules }: Pick<ExplanationView, 'rules'>, warnings: readonly Finding[]): readonly Finding[] {
  const matching = rules.flatMap(({ matched }, index) => (matched ? [`rules[${index}]`] : []));
  return warnings.filter(({ path }) => matching.some((rule) => path === rule || path.startsWith(`${rule}.`)));
}

interface More {
  readonly exemptions: readonly { readonly enrollment: string; readonly exemption: Exemption | null }[];
  readonly expired: readonly Exemption[];
  readonly from: string;
}

function explainText(
  explanation: ExplanationView,
  { exemptions, expired, from }: More,
  style: CliContext['output']['style'],
): string[] {
  const { account, ruleModeSource } = explanation;
  const about = (exemption: Exemption): string => `${oneLine(exemption.reason)}, ${oneLine(exemption.owner)}`;
  return [
    style('bold', `${account.id}  ${oneLine(account.name)}  ${oneLine(account.ou)}  ${account.state} (${from})`),
    ...stateNote(account.state),
    ...explanationText(explanation, style),
    ...(ruleModeSource === null ? [] : [`In AWS: ${oneLine(ruleModeSource)}`]),
    ...exemptions.flatMap(({ enrollment, exemption }) =>
      exemption === null ? [] : [`Exempt (${enrollment}) until ${exemption.until}: ${about(exemption)}`],
    ),
    ...expired.map(
      (exemption) => `Expired exemption (${exemption.enrollment}) until ${exemption.until}: ${about(exemption)}`,
    ),
  ];
}

/** The account as the last scan stored it; `null` if an attribute that the policy uses was not stored. Makes no AWS call. */
async function fromSnapshot(context: CliContext, accountId: string, { policy }: LoadedPolicy): Promise<Source | null> {
  try {
    return await withStore(context, true, async ({ snapshots, records }) => {
      const [account, meta, record] = await Promise.all([
        snapshots.get(accountId),
        snapshots.meta(),
        records.get(accountId),
      ]);
      if (account === null || meta === null || !policy.canDecide(account)) return null;
      return { account, source: 'snapshot', snapshotAt: new Date(meta.takenAt).toISOString(), record };
    });
  } catch (error) {
    if (context.store.isMissing(error)) return null;
    throw error;
  }
}

async function fromAws(context: CliContext, accountId: string, { policy }: LoadedPolicy): Promise<Source> {
  return readWithProgress(context, policy, async ({ deps, retrying }, onProgress) => {
    const { accounts, organizationId } = await deps.cloud.readOrganization({
      tags: policy.usesTags,
      retry: retrying,
      onProgress: (read) => onProgress({ kind: 'organization', accounts: read, done: false }),
    });
    const account = accounts.find(({ id }) => id === accountId);
    if (account !== undefined) return { account, source: 'aws', snapshotAt: null };
    const message = `Account ${accountId} is not in organization ${organizationId}. Check the number.`;
    throw new CommandError('AccountUnknown', message);
  });
}

/** Explains how the account's state overrides the policy. */
function stateNote(state: OrganizationAccount['state']): readonly string[] {
  if (state === 'ACTIVE') return [];
  if (state === 'UNKNOWN')
    return ['AWS reports a state that this version does not know: the status is Unknown, and nothing is changed.'];
  return ['The account is not ACTIVE, so the policy does not apply to it.'];
}
