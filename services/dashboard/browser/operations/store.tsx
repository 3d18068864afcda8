import { useVerification, useWhoAmI } from '../frame/source.ts';
import { AuditPill } from '../parts/audit-state.tsx';
import { Loaded } from '../parts/small.tsx';
import { Age } from '../parts/time.tsx';
import { count, number } from '../words.ts';

/** The store, and whether its audit log is intact. */
export function AuditStore() {
  const verification = useVerification();
  const whoami = useWhoAmI();
  return (
    <section class="panel" aria-labelledby="store">
      <header>
        <h2 id="store">Store</h2>
        <span class="right">{verification.data !== null && <AuditPill verification={verification.data} />}</span>
      </header>
      <div class="body">
        <Loaded resource={verification} what="The state of the store">
          {({ entries, chains, verifiedAt, checkpoint }) => (
            <dl class="facts">
              <dt>Kept in</dt>
              <dd>{whoami?.runtime === 'aws' ? 'DynamoDB' : 'Local files (embedded)'}</dd>
              <dt>Entries</dt>
              <dd>{entries === null ? '–' : `${number(entries)} in ${count(chains ?? 0, 'chain')}`}</dd>
              <dt>Verified</dt>
              <dd>{verifiedAt === null ? 'not yet' : <Age iso={verifiedAt} phrase />}</dd>
              <dt>Checkpoint</dt>
              <dd>{checkpoint === null ? 'none signed' : <Age iso={checkpoint.at} phrase />}</dd>
            </dl>
          )}
        </Loaded>
      </div>
    </section>
  );
}
