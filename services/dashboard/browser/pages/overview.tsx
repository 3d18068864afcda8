import type { ComponentChildren } from 'preact';
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
              <Loaded resource={overview} what="The overview">
                {(data) => <Attention status={found} overview={data} />}
              </Loaded>
            )}
            <Cards status={found} overview={overview.data} />
            {narrow ? (
              overview.data !== null && <Board status={found} overview={overview.data} />
            ) : (
              <Loaded resource={overview} what="The overview">
                {(data) => (
                  <Board status={found} overview={data}>
                    <Attention status={found} overview={data} />
                  </Board>
                )}
              </Loaded>
            )}
          </>
        )}
      </Loaded>
    </>
  );
}

interface BoardProps {
  readonly status: Status;
  readonly overview: Overview;
  /** The first panels. */
  readonly children?: ComponentChildren;
}

/** The panels below the cards. */
function Board({ status, overview, children }: BoardProps) {
  return (
    <div class="board">
      {children}
      <Remediation status={status} overview={overview} />
      <History status={status} />
      <Where status={status} overview={overview} />
      <RecentActivity overview={overview} />
      <ChangedBy overview={overview} />
    </div>
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
