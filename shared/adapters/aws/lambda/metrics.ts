import { Metrics as Powertools } from '@aws-lambda-powertools/metrics';
import {
  ALARMED,
  METRICS,
  type MetricName,
  type Metrics,
  type Monitoring,
  ZEROS_MATTER,
} from '../../../ports/metrics.ts';

export interface LambdaMetricsOptions {
  readonly service: string;
  readonly stage: string;
  readonly monitoring: Monitoring;
}

/** Metrics in CloudWatch's embedded metric format: each flush writes a log line, from which CloudWatch reads the metrics. No call is made. */
export function lambdaMetrics({ service, stage, monitoring }: LambdaMetricsOptions): Metrics {
  const isMonitored = (name: MetricName): boolean =>
    monitoring === 'full' || (monitoring === 'alarms' && ALARMED[service]?.includes(name) === true);
  const powertools = new Powertools({ namespace: 'Rollcall', serviceName: service, defaultDimensions: { stage } });
  let any = false;
  return {
    add(name, value) {
      // CloudWatch rejects the whole line if one value is not a finite number.
      if (!Number.isFinite(value) || !isMonitored(name)) return;
      if (value === 0 && !ZEROS_MATTER.has(name)) return;
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
