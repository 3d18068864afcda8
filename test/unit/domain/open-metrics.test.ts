import { describe, expect, it } from 'vitest';
import { type MetricFamily, openMetricsText, prometheusText } from '../../../shared/domain/open-metrics.ts';
import { readOpenMetrics } from '../../support/open-metrics.ts';

const FAMILIES: readonly MetricFamily[] = [
  {
    ...{ name: 'work', type: 'counter', help: 'Work "done".' },
    samples: [{ labels: { kind: 'a' }, value: 3 }],
  },
  { name: 'age_seconds', type: 'gauge', unit: 'seconds', help: 'Age.', samples: [{ labels: {}, value: 0.5 }] },
  { name: 'build', type: 'info', help: 'Build.', samples: [{ labels: { version: '1.0.0' }, value: 1 }] },
  { name: 'nothing', type: 'gauge', help: 'No sample.', samples: [] },
];

describe('the text of metrics', () => {
  it('is OpenMetrics 1.0', () => {
    expect(openMetricsText(FAMILIES)).toBe(`# TYPE work counter
# HELP work Work \\"done\\".
work_total{kind="a"} 3
# TYPE age_seconds gauge
# UNIT age_seconds seconds
# HELP age_seconds Age.
age_seconds 0.5
# TYPE build info
# HELP build Build.
build_info{version="1.0.0"} 1
# TYPE nothing gauge
# HELP nothing No sample.
# EOF
`);
  });

  it('is the older format of Prometheus, without the types and lines that it lacks', () => {
    expect(prometheusText(FAMILIES)).toBe(`# HELP work_total Work "done".
# TYPE work_total counter
work_total{kind="a"} 3
# HELP age_seconds Age.
# TYPE age_seconds gauge
age_seconds 0.5
# HELP build_info Build.
# TYPE build_info gauge
build_info{version="1.0.0"} 1
# HELP nothing No sample.
# TYPE nothing gauge
`);
  });

  it('escapes labels, so that no value can add a sample', () => {
    const version = 'a"} 1\nforged{x="\\';
    const family: MetricFamily = {
      name: 'build',
      type: 'info',
      help: 'Build.',
      samples: [{ labels: { version }, value: 1 }],
    };
    expect(readOpenMetrics(openMetricsText([family])).samples).toEqual([
      { name: 'build_info', labels: { version }, value: 1 },
    ]);
  });
});

describe('the reader of the tests', () => {
  it.each([
    ['no end', '# TYPE a gauge\na 1\n'],
    ['a counter without its suffix', '# TYPE a counter\na 1\n# EOF\n'],
    ['a sample without a family', 'a 1\n# EOF\n'],
    ['a unit that the name lacks', '# TYPE a gauge\n# UNIT a seconds\na 1\n# EOF\n'],
    ['a family that is interrupted', '# TYPE a gauge\n# TYPE b gauge\n# HELP a A.\na 1\n# EOF\n'],
    ['a sample twice', '# TYPE a gauge\na 1\na 2\n# EOF\n'],
    ['an unescaped quote', '# TYPE a gauge\na{b="c"d"} 1\n# EOF\n'],
  ])('refuses %s', (_, text) => {
    expect(() => readOpenMetrics(text)).toThrow();
  });
});
