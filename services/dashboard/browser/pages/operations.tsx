import { READ } from '../endpoints.ts';
import { useStatus, useWhoAmI } from '../frame/source.ts';
import { changes } from '../live.ts';
import { Checks } from '../operations/checks.tsx';
import { DeadLettersPanel } from '../operations/dead-letters.tsx';
import { Queue } from '../operations/queue.tsx';
import { RateLimit } from '../operations/rate-limit.tsx';
import { AuditStore } from '../operations/store.tsx';
import { Configurations } from '../parts/configurations.tsx';
import { Heading } from '../parts/heading.tsx';
import { Loaded } from '../parts/small.tsx';
import { Age } from '../parts/time.tsx';
import { useResource } from '../resource.ts';
import type { DeadLetters, Limiter, Overview, Status } from '../types.ts';
import { count, number } from '../words.ts';

/** Is Rollcall itself healthy? */
export function OperationsPage() {
  const status = useStatus();
  const limiter = useResource<Limiter>(READ.limiter, changes.value);
  const letters = useResource<DeadLetters>(READ.deadLetters, changes.value);
  const overview = useResource<Overview>(READ.overview, changes.value);
  const whoami = useWhoAmI();
  return (
    <>
      <Heading
        title="Operations"
        sub={whoami !== null && `Rollcall ${whoami.version}, ${whoami.runtime === 'aws' ? 'AWS' : 'embedded'} store`}
      >
        Operations
      </Heading>
      <Loaded resource={status} what="The status">
        {(found) => (
          <>
            <Summary status={found} limiter={limiter.data} letters={letters.data} />
            <div class="two">
              <section class="panel" aria-labelledby="rate">
                <header>
                  <h2 id="rate">Rate limit</h2>
                  <span class="sub">{limiter.data !== null && limitText(limiter.data)}</span>
                </header>
                <Loaded resource={limiter} what="The rate limit">
                  {(data) => <RateLimit limiter={data} />}
                </Loaded>
              </section>
              <div class="stack">
                <Queue status={found} waiting={overview.data?.waiting ?? []} />
                <AuditStore />
              </div>
            </div>
            <DeadLettersPanel letters={letters} />
            <Checks status={found} />
            <Configurations status={found} />
          </>
        )}
      </Loaded>
    </>
  );
}

function limitText({ ceiling }: Limiter): string {
  return ceiling === null
    ? 'All workers together; follows AWS throttling'
    : `All workers together; at most ${count(ceiling, 'call')} per second`;
}

interface SummaryProps {
  readonly status: Status;
  readonly limiter: Limiter | null;
  readonly letters: DeadLetters | null;
}

function Summary({ status: { queue, outbox, lastScan, nextScan }, limiter, letters }: SummaryProps) {
  const used = limiter?.used ?? null;
  const limit = limiter?.total ?? null;
  const oldest = letters?.deadLetters.map(({ at }) => at).sort()[0] ?? null;
  return (
    <section class="panel" aria-label="Summary">
      <dl class="strip">
        <div>
          <dt>Calls per second</dt>
          <dd>
            {used === null ? '–' : number(used.total)}
            {limit !== null && ` of ${number(limit)}`}
            <small>{used === null ? 'made by other processes' : `${number(used.throttled)} throttled in 1 h`}</small>
          </dd>
        </div>
        <div>
          <dt>Queue</dt>
          <dd>
            {count(queue.visible + queue.inFlight, 'request')}
            <small>
              {number(queue.visible)} ready, {number(queue.inFlight)} in flight
            </small>
          </dd>
        </div>
        <div>
          <dt>Last scan</dt>
          <dd>
            <Age iso={lastScan.completedAt} phrase />
            <small>
              {nextScan === null ? (
                'none scheduled'
              ) : (
                <>
                  next <Age iso={nextScan} phrase />
                </>
              )}
            </small>
          </dd>
        </div>
        <div>
          <dt>Dead letters</dt>
          <dd>
            {number(queue.dead)}
            <small>
              {oldest === null ? (
                'none'
              ) : (
                <>
                  oldest <Age iso={oldest} />
                </>
              )}
            </small>
          </dd>
        </div>
        <div>
          <dt>Unpublished entries</dt>
          <dd>
            {outbox === null ? '0' : `${number(outbox.overdue)}${outbox.more ? '+' : ''}`}
            <small>
              {outbox === null ? (
                'none overdue'
              ) : (
                <>
                  oldest <Age iso={outbox.oldestAt} />
                </>
              )}
            </small>
          </dd>
        </div>
      </dl>
    </section>
  );
}
