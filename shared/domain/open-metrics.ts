/** A sample of a metric: its value under one combination of labels. */
interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A metric with its samples. Its name has no suffix: `_total` and `_info` are added to the names of the samples. */
export interface MetricFamily {
  readonly name: string;
  readonly type: 'gauge' | 'counter' | 'info';
  /** A base unit, with which the name must end. */
  readonly unit?: 'seconds' | 'ratio';
  readonly help: string;
  readonly samples: readonly Sample[];
}

const SUFFIX = { gauge: '', counter: '_total', info: '_info' } as const;

/** OpenMetrics text 1.0. https://prometheus.io/docs/specs/om/open_metrics_spec/ */
export function openMetricsText(families: readonly MetricFamily[]): string {
  const parts = families.map((family) => {
    const { name, type, unit, help } = family;
    const units = unit === undefined ? [] : [`# UNIT ${name} ${unit}`];
    return [`# TYPE ${name} ${type}`, ...units, `# HELP ${name} ${escaped(help)}`, ...sampleLines(family)];
  });
  return `${[...parts.flat(), '# EOF'].join('\n')}\n`;
}

/** The older text format of Prometheus, in which a family has the name of its samples. https://prometheus.io/docs/instrumenting/exposition_formats/ */
export function prometheusText(families: readonly MetricFamily[]): string {
  const parts = families.map((family) => {
    const { type, help } = family;
    const name = sampleName(family);
    const known = type === 'info' ? 'gauge' : type;
    // Quotes are escaped only in labels here, unlike in OpenMetrics.
    return [`# HELP ${name} ${escaped(help, /[\\\n]/g)}`, `# TYPE ${name} ${known}`, ...sampleLines(family)];
  });
  return `${parts.flat().join('\n')}\n`;
}

/** The name under which a metric is queried. */
export const sampleName = ({ name, type }: Pick<MetricFamily, 'name' | 'type'>): string => `${name}${SUFFIX[type]}`;

function sampleLines(family: MetricFamily): string[] {
  const name = sampleName(family);
  return family.samples.map(({ labels, value }) => {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
    return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}`;
  });
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '"': '\\"' };

const escaped = (text: string, characters = /[\\\n"]/g): string =>
  text.replace(characters, (character) => ESCAPES[character] ?? character);
