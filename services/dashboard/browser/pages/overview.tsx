import { READ } from '../endpoints.ts';
import { useStatus } from '../frame/source.ts';
import { changes } from '../live.ts';
import { ChangedBy, RecentActivity } from '../overview/activity.tsx';
import { Attention } from '../overview/attention.tsx';
import { Cards } from '../overview/cards.tsx';
import { History } from '../overview/history.tsx';
import { Remediation } from '../overview/remediation.tsx';
import { Where } from '../overview/where.tsx';
import { Heading } from '../parts/heading.tsx';
import { Halt, ScanNow, Suspend } from '../parts/operate.tsx';
import { Loaded } from '../parts/small.tsx';
import { Time } from '../parts/time.tsx';
import { useNarrow } from '../parts/viewport.ts';
import { useResource } from '../resource.ts';
import type { Overview, Status } from '../types.ts';
import { count, number } from '../words.ts';

/** Are we compliant, and what must I do? */
export function OverviewPage() {
  const status = useStatus();
  // On a narrow screen the cards fill the first screen, so the list of what needs attention comes before them.
  const narrow = useNarrow();
  const overview = useResource<Overview>(READ.overview, changes.value);
  return (
    <>
      <Heading
        title="Overview"
        sub={status.data !== null && <Summary status={status.data} />}
        actions={
          <>
            <ScanNow />
            <Suspend />
            {status.data?.halted === null && <Halt halted={false} />}
          </>
        }
      >
        Overview
      </Heading>
      <Loaded resource={status} what="The status">
        {(found) => (
          <>
            {narrow && (
              <Loaded resource={overview} what="What needs attention">
                {(data) => <Attention status={found} overview={data} />}
              </Loaded>
            )}
            <Cards status={found} overview={overview.data} />
            <Loaded resource={overview} what="The overview">
              {(data) => (
                <div class="board">
                  {!narrow && <Attention status={found} overview={data} />}
                  <Remediation status={found} overview={data} />
                  <History status={found} />
                  <Where status={found} overview={data} />
                  <RecentActivity overview={data} />
                  <ChangedBy overview={data} />
                </div>
              )}
            </Loaded>
          </>
        )}
      </Loaded>
    </>
  );
}

function Summary({ status: { accounts, lastScan, nextScan } }: { readonly status: Status }) {
  const { total, active, known } = accounts;
  if (lastScan.completedAt === null) return <>No scan yet</>;
  return (
    <>
      {count(total, 'account')}, {number(active)} active. Status known for {number(known)}. Last scan{' '}
      <Time iso={lastScan.completedAt} zoned={nextScan === null} />
      {nextScan !== null && (
        <>
          , next <Time iso={nextScan} zoned />
        </>
      )}
    </>
  );
}
