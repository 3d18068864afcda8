import { waitingText } from '../overview/remediation.tsx';
import { Time } from '../parts/time.tsx';
import type { Overview, Status } from '../types.ts';
import { count, number } from '../words.ts';

interface QueueProps {
  readonly status: Status;
  readonly waiting: Overview['waiting'];
}

/** Work that starts by itself at a known time or after another change. */
export function Queue({ status: { queue, scanning }, waiting }: QueueProps) {
  const scheduled = waiting.reduce((sum, each) => sum + each.count, 0);
  return (
    <section class="panel" aria-labelledby="sched">
      <header>
        <h2 id="sched">Scheduled</h2>
        <span class="sub">{count(scheduled, 'enrollment')} waiting</span>
      </header>
      <div class="body">
        {scheduled + queue.visible + queue.inFlight === 0 && scanning === null ? (
          <p class="muted">Nothing is scheduled.</p>
        ) : (
          <table class="mini">
            <tbody>
              {waiting.map(({ reason, count: n, nextAt }) => (
                <tr key={reason}>
                  <td class="nowrap">{nextAt === null ? 'No time' : <Time iso={nextAt} />}</td>
                  <td>{waitingText(reason)}</td>
                  <td class="num">{number(n)}</td>
                </tr>
              ))}
              {scanning !== null && (
                <tr>
                  <td class="nowrap">Now</td>
                  <td colSpan={2}>Scan {scanning.state}</td>
                </tr>
              )}
            </tbody>
          </table>
        )}
      </div>
    </section>
  );
}
