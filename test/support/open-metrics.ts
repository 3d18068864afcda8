/** One sample of a text that a strict reader of OpenMetrics accepts. */
interface ReadSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

interface ReadFamily {
  readonly type: string;
  readonly help: string;
}

export interface ReadMetrics {
  readonly families: ReadonlyMap<string, ReadFamily>;
  readonly samples: readonly ReadSample[];
  /** The value of the only sample with this name and at least these labels. */
  value(name: string, labels?: Readonly<Record<string, string>>): number | null;
}

const META = /^# (TYPE|UNIT|HELP) ([a-z_]+) (.+)$/;
const SAMPLE = /^([a-z_]+)(?:\{(.*)\})? (-?\d+(?:\.\d+)?(?:e[+-]\d+)?)$/;
const LABEL = /([a-z_]+)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/gy;
const SUFFIXES: Readonly<Record<string, string>> = { gauge: '', counter: '_total', info: '_info' };

/**
 * Reads OpenMetrics text 1.0, written from the specification: metadata before its samples, families not interleaved, known types with their suffixes, units
 * at the end of names, no two samples alike, and `# EOF` at the end.
 * @throws Error with the line that breaks a rule
 */
export function readOpenMetrics(text: string): ReadMetrics {
  if (!text.endsWith('\n# EOF\n')) throw new Error('the text does not end with # EOF');
  const read = new Reader();
  for (const line of text.slice(0, -'# EOF\n'.length).trimEnd().split('\n')) {
    const [, keyword, family = '', rest = ''] = META.exec(line) ?? [];
    if (keyword === undefined) read.sample(line);
    else read.meta(line, { keyword, family, rest });
  }
  const samples = [...read.samples.values()];
  return { families: read.families, samples, value: (name, labels) => valueIn(samples, name, labels) };
}

class Reader {
  readonly families = new Map<string, ReadFamily>();
  readonly samples = new Map<string, ReadSample>();
  #family = '';

  meta(line: string, { keyword, family, rest }: Readonly<Record<'keyword' | 'family' | 'rest', string>>): void {
    if (family !== this.#family && this.families.has(family)) throw new Error(`a family is interrupted: ${line}`);
    if (keyword === 'UNIT' && !family.endsWith(`_${rest}`)) throw new Error(`the name lacks its unit: ${line}`);
    const known = this.families.get(family) ?? { type: '', help: '' };
    this.#family = family;
    this.families.set(family, {
      type: keyword === 'TYPE' ? rest : known.type,
      help: keyword === 'HELP' ? rest : known.help,
    });
  }

  sample(line: string): void {
    const sample = sampleOf(line);
    const suffix = SUFFIXES[this.families.get(this.#family)?.type ?? ''];
    if (suffix === undefined || sample.name !== `${this.#family}${suffix}`)
      throw new Error(`the sample is not of the family ${this.#family}: ${line}`);
    const key = `${sample.name} ${JSON.stringify(sample.labels)}`;
    if (this.samples.has(key)) throw new Error(`the sample appears twice: ${line}`);
    this.samples.set(key, sample);
  }
}

function sampleOf(line: string): ReadSample {
  const [, name, pairs = '', value = ''] = SAMPLE.exec(line) ?? [];
  if (name === undefined) throw new Error(`not a sample: ${line}`);
  const found = [...pairs.matchAll(LABEL)];
  if (found.map(([whole]) => whole).join('') !== pairs) throw new Error(`not labels: ${line}`);
  const textOf = (text: string): string =>
    text.replaceAll(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character));
  const labels = Object.fromEntries(found.map(([, label = '', text = '']) => [label, textOf(text)]));
  return { name, labels, value: Number(value) };
}

function valueIn(
  samples: readonly ReadSample[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | null {
  const wanted = Object.entries(labels);
  const found = samples.filter(
    (each) => each.name === name && wanted.every(([key, text]) => each.labels[key] === text),
  );
  const [sample] = found;
  if (found.length > 1) throw new Error(`${found.length} samples of ${name} have the labels ${JSON.stringify(labels)}`);
  return sample?.value ?? null;
}
