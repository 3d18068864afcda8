import type { SpanAttributes, SpanStart } from '../../ports/tracer.ts';
import type { RunContext } from '../context.ts';
import type { Plan } from '../plan/plan.ts';
import { OutOfTime } from '../support/out-of-time.ts';

/** The span of one part of a run's scan. The first part's is the span of the run, below which the run's changes are. */
export function scanSpan({ runId, policy, resumed = false, trigger }: RunContext): SpanStart<Plan> {
  const attributes = { 'rollcall.run.id': runId, 'rollcall.policy.hash': policy.hash };
  return {
    name: 'scan',
    attributes: trigger === undefined ? attributes : { ...attributes, 'rollcall.run.trigger': trigger.kind },
    run: { id: runId, begins: !resumed },
    done: resultOf,
    // Another process continues the scan.
    isExpected: (error) => error instanceof OutOfTime,
  };
}

function resultOf({ totals, trip }: Plan): SpanAttributes {
  const planned = { 'rollcall.plan.now': totals.now, 'rollcall.plan.follow_ups': totals.followUps };
  return trip === null ? planned : { ...planned, 'rollcall.run.stopped_by': trip.reason };
}
