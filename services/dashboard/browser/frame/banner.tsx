import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { Link } from 'wouter-preact';
import { actorName } from '../../../../shared/domain/actor.ts';
import { connected } from '../live.ts';
import { Mark } from '../parts/icon.tsx';
import { Halt } from '../parts/operate.tsx';
import { now, Sentence } from '../parts/time.tsx';
import { timeText, zoneName } from '../time-text.ts';
import type { Status } from '../types.ts';
import { count, number } from '../words.ts';
import { announce } from './announce.tsx';
import { useMayOperate, useStatus } from './source.ts';

/** Banners below the title of every page: the connection is lost, or remediation is halted. */
export function Banners() {
  const halted = useStatus().data?.halted ?? null;
  const at = halted?.at ?? null;
  useEffect(() => {
    if (at !== null) announce('Remediation is halted.');
  }, [at]);
  return (
    <>
      <ConnectionLost />
      {halted !== null && <HaltBanner halted={halted} />}
    </>
  );
}

/** Since when the page has not been live, epoch ms; `null`: it is live, or was not live yet. */
const lostAt = signal<number | null>(null);
let wasLive = false;
connected.subscribe((live) => {
  if (live) wasLive = true;
  lostAt.value = live || !wasLive ? null : Date.now();
});

function ConnectionLost() {
  if (lostAt.value === null) return null;
  return (
    <p class="toast" role="status">
      <Mark name="drifted" />
      Not live since {timeText(lostAt.value, now.value)} {zoneName()}. Values below may be out of date. Reconnecting…
    </p>
  );
}

function HaltBanner({ halted: { at, by, reason } }: { readonly halted: NonNullable<Status['halted']> }) {
  const status = useStatus().data;
  const mayOperate = useMayOperate();
  if (status === null) return null;
  const { due: held, inProgress: sent } = status.openDrift;
  return (
    <section class="banner" aria-labelledby="halt-title">
      <Mark name="attention" />
      <div>
        <h2 id="halt-title">
          Remediation halted at {timeText(Date.parse(at), now.value)} {zoneName()} by {actorName(by)}
        </h2>
        <p>
          {reason !== null && (
            <>
              Reason: “<Sentence text={reason.replace(/\.$/, '')} />
              ”.{' '}
            </>
          )}
          {count(held, 'change')} {held === 1 ? 'is' : 'are'} held
          {sent > 0 && ` and ${number(sent)} already sent will finish`}. Scans and alerts continue.
        </p>
      </div>
      <span class="actions">
        <Link class="btn" href="/audit?type=EnforcementHalted">
          View audit entry
        </Link>
        {mayOperate && <Halt halted />}
      </span>
    </section>
  );
}
