import { Link } from 'wouter-preact';
import { ENROLLMENT_IDS, kindsInUse } from '../../../../shared/domain/enrollment/kinds/index.ts';
import { STATUSES } from '../../../../shared/domain/enrollment/status.ts';
import { contestedIn, Settle } from '../account/settle.tsx';
import { Standing } from '../account/standing.tsx';
import { AccountTimeline } from '../account/timeline.tsx';
import { RuleLink, Why } from '../account/why.tsx';
import { ResumeAccounts, SuspendAccounts } from '../accounts/bulk.tsx';
import { OPERATE, READ } from '../endpoints.ts';
import { useMayOperate, useWhoAmI } from '../frame/source.ts';
import { changes } from '../live.ts';
import { Copy } from '../parts/copy.tsx';
import { Button } from '../parts/form.tsx';
import { Heading } from '../parts/heading.tsx';
import { Icon, Mark } from '../parts/icon.tsx';
import { perform } from '../parts/operate.tsx';
import { Fact, Loaded } from '../parts/small.tsx';
import { Age, Time } from '../parts/time.tsx';
import { useResource } from '../resource.ts';
import { useParams } from '../search-params.ts';
import { looksOf } from '../status-looks.ts';
import type { Account } from '../types.ts';

export function AccountPage() {
  const [params] = useParams();
  const id = params.get('id') ?? '';
  const resource = useResource<Account>(id === '' ? null : READ.account(id), changes.value);
  const found = resource.data;
  const name = found?.account?.name || id || 'No account selected';
  return (
    <>
      <Heading
        title={`Account ${name}`}
        crumb={<Link href="/accounts">Accounts</Link>}
        {...(found !== null && {
          beside: <StatusPill found={found} />,
          sub: <Sub found={found} />,
          actions: <Actions found={found} />,
        })}
      >
        {name}
      </Heading>
      {id !== '' && (
        <Loaded resource={resource} what="The account">
          {(read) => <Found found={read} />}
        </Loaded>
      )}
    </>
  );
}

/** The worst status of the enrollments. */
function StatusPill({ found: { enrollments } }: { readonly found: Account }) {
  const words = ENROLLMENT_IDS.flatMap((id) => enrollments[id]?.complianceStatus ?? []);
  const status = STATUSES.find((word) => words.includes(word));
  if (status === undefined) return null;
  const { mark, tone } = looksOf(status);
  return (
    <span class={`pill c-${tone}`}>
      <Mark name={mark} />
      {status}
    </span>
  );
}

function Sub({ found: { accountId, account, present } }: { readonly found: Account }) {
  const facts = [
    account?.ou,
    account?.state === 'ACTIVE' ? 'active' : account?.state.toLowerCase().replaceAll('_', ' '),
    account?.management === true ? 'management account' : undefined,
    present ? undefined : 'not a member as of the last complete scan',
  ];
  return (
    <>
      <span class="mono">{accountId}</span> <Copy text={accountId} what="Account id" />{' '}
      {facts.filter((fact) => fact !== undefined).join(', ')}
    </>
  );
}

/** The AWS console of each partition. */
const CONSOLES: Readonly<Record<string, string>> = {
  aws: 'https://console.aws.amazon.com',
  'aws-cn': 'https://console.amazonaws.cn',
  'aws-us-gov': 'https://console.amazonaws-us-gov.com',
};

/** The account in the console of AWS Organizations. Only an ARN names the partition; without one it is the usual one. */
function consoleUrl(accountId: string, actor: string | undefined): string {
  const partition = /^arn:([\w-]+):/.exec(actor ?? '')?.[1] ?? 'aws';
  return `${CONSOLES[partition] ?? CONSOLES['aws']}/organizations/v2/home/accounts/${accountId}`;
}

function Actions({ found: { accountId, account, enrollments } }: { readonly found: Account }) {
  const mayOperate = useMayOperate();
  const actor = useWhoAmI()?.actor;
  const suspended = ENROLLMENT_IDS.some((id) => enrollments[id]?.verdict === 'Suspended');
  const command = { selector: accountId, those: account?.name || accountId, look: null };
  return (
    <>
      <a class="btn" href={consoleUrl(accountId, actor)} target="_blank" rel="noreferrer">
        Open in AWS
        <Icon name="out" />
      </a>
      <Button
        disabled={!mayOperate}
        onClick={() =>
          perform(OPERATE.check, { accounts: [accountId] }, 'The account will be read again within seconds.')
        }
      >
        Check again
      </Button>
      {suspended ? <ResumeAccounts {...command} /> : <SuspendAccounts {...command} />}
    </>
  );
}

function Found({ found }: { readonly found: Account }) {
  const kinds = kindsInUse((id) => found.enrollments[id] !== null).map(({ id }) => id);
  const contested = contestedIn(found);
  return (
    <>
      {contested.length > 0 && <Settle key={found.accountId} found={found} contested={contested} />}
      <section class="panel compare" aria-label="Status by enrollment">
        {kinds.map((id) => (
          <Standing key={id} enrollment={id} found={found} />
        ))}
        <AccountFacts found={found} />
      </section>
      <AccountTimeline key={found.accountId} found={found} kinds={kinds} />
      <Why found={found} />
    </>
  );
}

function AccountFacts({ found: { account, explanation, snapshotAt, suspension } }: { readonly found: Account }) {
  const mode = explanation?.desired.mode;
  return (
    <div>
      <div class="title">
        <h2>Account</h2>
      </div>
      <dl class="facts">
        <Fact term="Tags">{tagsText(account?.tags ?? null)}</Fact>
        <Fact term="Mode">
          {mode !== undefined && (
            <>
              {mode.value}, from <RuleLink rule={mode.rule} />
            </>
          )}
        </Fact>
        <Fact term="Suspended">
          {suspension !== null && (
            <>
              {suspension.message}{' '}
              {suspension.until !== null && (
                <>
                  until <Time iso={suspension.until} zoned />
                </>
              )}
            </>
          )}
        </Fact>
        <Fact term="Last listed">
          {snapshotAt !== null && (
            <>
              <Time iso={snapshotAt} zoned />, <Age iso={snapshotAt} phrase />
            </>
          )}
        </Fact>
      </dl>
    </div>
  );
}

/** `null`: the tags were not read. */
function tagsText(tags: Readonly<Record<string, string>> | null): string {
  if (tags === null) return 'not read';
  const pairs = Object.entries(tags).map(([key, value]) => `${key}=${value}`);
  return pairs.join(', ') || 'none';
}
