import * as z from 'zod';
import type { Plan } from '../../shared/app/plan/plan.ts';
import { type Deadline, scanPart } from '../../shared/app/scan/resumable-scan.ts';
import { readEvent } from '../../shared/compose/lambda-event.ts';
import { type AwsRuntime, composeFromEnvironment } from '../../shared/compose/lambda-runtime.ts';
import { type Compose, handling, type LambdaContext, lazily } from '../../shared/compose/lazy-runtime.ts';
import { ENROLLMENT_IDS } from '../../shared/domain/enrollment/kinds/index.ts';
import { DRIFT_VERDICTS, type Verdict } from '../../shared/domain/enrollment/verdict.ts';
import type { Metrics } from '../../shared/ports/metrics.ts';

/** The scan stops this long before the function's timeout, ms: calls in flight with their retries take up to 45 s, and then the result is saved. */
const RESERVE_MS = 90_000;

/** A scan request as EventBridge delivers it, without the fields that are not used. */
const requested = z.object({
  'detail-type': z.literal('Scan Requested'),
  source: z.literal('rollcall.internal'),
  detail: z.object({ runId: z.string().min(1) }),
});

const EXPECTED = "Rollcall's own event `Scan Requested` (source `rollcall.internal`, `detail.runId`)";

export interface ScannerResult {
  readonly runId: string;
  readonly result: 'done' | 'continued' | 'stale' | 'busy';
}

/**
 * Runs as much of a scan as fits into the function's time. If the scan is not done by then, it requests another invocation to continue it.
 * @throws the error that ended the scan; EventError for an event that is not a scan request
 */
export function makeHandler(compose: Compose, reserveMs: number = RESERVE_MS) {
  const open = lazily(compose);
  return async (event: unknown, context: LambdaContext): Promise<ScannerResult> => {
    const { runId } = readEvent(requested, event, EXPECTED).detail;
    const runtime = await open();
    const deadline: Deadline = { remainingMs: () => context.getRemainingTimeInMillis(), reserveMs };
    return handling(runtime, { requestId: context.awsRequestId, runId }, () => scanFor(runtime, runId, deadline));
  };
}

async function scanFor(runtime: AwsRuntime, runId: string, deadline: Deadline): Promise<ScannerResult> {
  const { clock, logger, metrics, scanRequests: requests } = runtime;
  const begun = clock.now();
  // `true` reads the policy again: workers drop messages that were queued under another policy than the current one.
  const { deps, settings, retrying, policy } = await runtime.app(true);
  const onProgress = () => undefined;
  const end = await scanPart({ deps, settings, retrying, policy, requests, deadline, onProgress }, runId);
  switch (end.kind) {
    case 'done':
      measure(metrics, end.plan, clock.now() - begun);
      logger.info('scan completed', { ...summaryOf(end.plan), durationMs: clock.now() - begun });
      break;
    case 'continued':
      logger.info('scan continues in another invocation', { answers: end.answers });
      break;
    case 'busy':
      logger.info('another process is scanning; the tick will request the scan again', { holder: end.holder });
      break;
    case 'stale':
      logger.info('the run has ended or was replaced; nothing was done');
      break;
  }
  return { runId, result: end.kind };
}

function measure(metrics: Metrics, plan: Plan, durationMs: number): void {
  const { summary, coverage } = plan;
  const both = (verdict: Verdict): number => ENROLLMENT_IDS.reduce((sum, id) => sum + (summary[id][verdict] ?? 0), 0);
  metrics.add('AccountsScanned', coverage.evaluated + coverage.unknown + coverage.notApplicable);
  metrics.add(
    'DriftFound',
    DRIFT_VERDICTS.reduce((sum, verdict) => sum + both(verdict), 0),
  );
  metrics.add('AccountsStalled', both('Stalled'));
  metrics.add('GuardrailsTripped', plan.trip === null ? 0 : 1);
  metrics.add('ScanDuration', durationMs);
}

function summaryOf({ planHash, policyHash, coverage, summary, due, trip, broken }: Plan) {
  return { planHash, policyHash, coverage, summary, due: due.length, trip, broken };
}

export const handler = makeHandler(() => composeFromEnvironment('scanner'));
