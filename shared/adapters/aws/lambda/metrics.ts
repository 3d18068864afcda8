import { Metrics as Powertools } from '@aws-lambda-powertools/metrics';
import { METRICS, type Metrics } from '../../../ports/metrics.ts';

/** Metrics in CloudWatch's embedded metric format: each flush writes a log line, from which CloudWatch reads the metrics. No call is made. */
export function lambdaMetrics({ service, stage }: { readonly service: string; readonly stage: string }): Metrics {
  const powertools = new Powertools({ namespace: 'Rollcall', serviceName: service, defaultDimensions: { stage } });
  let any = false;
  return {
    add(name, value) {
      // CloudWatch rejects the whole line if one value is not a finite number.
      if (!Number.isFinite(value)) return;
      any = true;
      powertools.addMetric(name, METRICS[name], value);
    },
    flush() {
      // Powertools warns if there is nothing to publish.
      if (any) powertools.publishStoredMetrics();
      any = false;
    },
  };
}
