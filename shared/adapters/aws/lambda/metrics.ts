import { Metrics as Powertools } from '@aws-lambda-powertools/metrics';
import { METRICS, type Metrics } from '../../../ports/metrics.ts';

/**
 * CloudWatch's embedded metric format: one line of the log a flush, from which CloudWatch makes metrics; no call is made.
 * Dimensions are `service` (the function) and `stage`.
 */
export function lambdaMetrics({ service, stage }: { readonly service: string; readonly stage: string }): Metrics {
  const powertools = new Powertools({ namespace: 'Rollcall', serviceName: service, defaultDimensions: { stage } });
  let any = false;
  return {
    add(name, value) {
      // What is no number would make the whole line unreadable for CloudWatch.
      if (!Number.isFinite(value)) return;
      any = true;
      powertools.addMetric(name, METRICS[name], value);
    },
    flush() {
      // Powertools warns of an empty line.
      if (any) powertools.publishStoredMetrics();
      any = false;
    },
  };
}
