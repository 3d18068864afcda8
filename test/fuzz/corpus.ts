import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, 'corpus');

/** The committed inputs of a target, by name: `corpus/TARGET/NAME`. */
export function corpusOf(target: string): readonly (readonly [name: string, content: Uint8Array])[] {
  const directory = join(root, target);
  return readdirSync(directory)
    .sort()
    .map((name) => [name, readFileSync(join(directory, name))] as const);
}

/** The same as JSON. */
export function jsonCorpusOf(target: string): readonly unknown[] {
  return corpusOf(target).map(([, content]): unknown => JSON.parse(Buffer.from(content).toString('utf8')));
}
