import { openMetricsText, prometheusText } from '../../../shared/domain/open-metrics.ts';
import { accepts } from '../negotiation.ts';
import { ApiProblem } from '../problem.ts';
import { NONE, streamRoute } from '../route.ts';
import { policyIfAny } from './status.ts';

const OPEN_METRICS = 'application/openmetrics-text';
const PLAIN = 'text/plain';
const OPEN_METRICS_TYPE = `${OPEN_METRICS}; version=1.0.0; charset=utf-8`;
const PLAIN_TYPE = `${PLAIN}; version=0.0.4; charset=utf-8`;

export const metricRoutes = [
  streamRoute({
    method: 'get',
    path: '/metrics',
    operationId: 'metrics',
    types: { [OPEN_METRICS_TYPE]: null, [PLAIN_TYPE]: null },
    summary: 'Metrics for Prometheus, in the OpenMetrics format unless the client accepts only text/plain',
    ...NONE,
    handle: async ({ system, headers }) => {
      const { instruments } = system;
      if (instruments === undefined) {
        const message =
          'The deployed functions send their metrics to CloudWatch, namespace Rollcall. Only rollcall serve answers GET /metrics.';
        throw new ApiProblem(404, 'MetricsInCloudWatch', message);
      }
      const families = await instruments.read((await policyIfAny(system))?.policy ?? null);
      const accepted = headers.get('accept');
      if (accepts(accepted, PLAIN) && !accepts(accepted, OPEN_METRICS))
        return new Response(prometheusText(families), { headers: { 'content-type': PLAIN_TYPE } });
      return new Response(openMetricsText(families), { headers: { 'content-type': OPEN_METRICS_TYPE } });
    },
  }),
];
