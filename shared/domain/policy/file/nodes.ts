/** Converts YAML nodes to plain data with positions. Rejects aliases, tags and duplicate keys. */
import { type Document, isAlias, isMap, isScalar, isSeq, type LineCounter, type Pair } from 'yaml';
import type { Place } from '../types.ts';
import { type Path, renderPath, shown } from './findings.ts';
import { type Complaint, type Report, START } from './report.ts';

export const MAX_DEPTH = 64;
export const TOO_DEEP: Complaint = {
  message: 'the file is nested too deeply',
  found: `more than ${MAX_DEPTH} levels`,
  expected: `at most ${MAX_DEPTH} levels`,
  hint: 'A policy needs fewer than ten.',
};

/** The positions of the value and the key at a path, and the source text. */
export interface Spot {
  readonly value: Place;
  readonly key: Place | null;
  /** The source text of a scalar, e.g. `012345678901`, which YAML reads as the number 12345678901. */
  readonly source: string | null;
  /** Where a scalar begins and ends in the text, in UTF-16 code units; `null`: not a scalar. */
  readonly range: readonly [from: number, to: number] | null;
}

export interface Taken {
  /** Plain data: objects, arrays, strings, numbers, booleans, null. */
  readonly value: unknown;
  /** By rendered path. */
  readonly spots: ReadonlyMap<string, Spot>;
  /** Rendered paths whose value was rejected. Later findings about them would be duplicates. */
  readonly broken: ReadonlySet<string>;
}

/** The same with the text that it was read from. */
export interface Read extends Taken {
  readonly text: string;
}

export function placeAt(lines: LineCounter, offset: number): Place {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

export function takeOver(document: Document.Parsed, lines: LineCounter, report: Report): Taken {
  const spots = new Map<string, Spot>();
  const broken = new Set<string>();
  const at = (node: unknown): Place | null => {
    const offset = rangeStart(node);
    return offset === null ? null : placeAt(lines, offset);
  };

  const visit = (node: unknown, path: Path, key: Place | null): unknown => {
    const place = (isUnwritten(node) ? key : at(node)) ?? key ?? START;
    const rendered = renderPath(path);
    spots.set(rendered, {
      value: place,
      key,
      source: isScalar(node) ? (node.source ?? null) : null,
      range: rangeOf(node),
    });
    const complaint = path.length > MAX_DEPTH ? TOO_DEEP : refusal(node);
    if (complaint !== null) {
      report(place, path, complaint);
      broken.add(rendered);
      return undefined;
    }
    if (isMap(node)) return visitMap(node.items, path);
    if (isSeq(node)) return node.items.map((item, i) => visit(item, [...path, i], null));
    return isScalar(node) ? node.value : null;
  };

  const visitMap = (items: readonly Pair<unknown, unknown>[], path: Path): Record<string, unknown> => {
    const out: Record<string, unknown> = {};
    const seen = new Map<string, Place>();
    for (const pair of items) {
      const place = at(pair.key) ?? at(pair.value) ?? START;
      const name = keyName(pair.key);
      const first = name === null ? undefined : seen.get(name);
      if (name === null) report(place, path, badKey(pair.key));
      else if (first !== undefined) report(place, [...path, name], twice(name, first));
      else {
        seen.set(name, place);
        out[name] = visit(pair.value, [...path, name], place);
      }
    }
    return out;
  };

  return { value: visit(document.contents, [], null), spots, broken };
}

/** The text of a key; null if it is no policy key. `__proto__` is rejected, because assigning it would not create a key. */
function keyName(key: unknown): string | null {
  const name = isScalar(key) ? key.value : null;
  return typeof name === 'string' && name !== '__proto__' ? name : null;
}

function badKey(key: unknown): Complaint {
  const written = isScalar(key) ? (key.source ?? '') : null;
  return {
    message: 'this key cannot be used',
    found: written === null ? 'a list, map or alias as a key' : shown(written),
    expected: 'a text',
    hint: written ? `To use it as a key, quote it: "${written}".` : 'Write `key: value`.',
  };
}

function twice(name: string, first: Place): Complaint {
  return {
    message: `the key ${shown(name)} is written twice`,
    found: `a second ${shown(name)}`,
    expected: `one; the first is on line ${first.line}`,
    hint: 'Remove one of them, or merge them.',
  };
}

/** Whether the value was left out (`key:`), unlike an empty text (`key: ""`). */
export function isUnwritten(node: unknown): boolean {
  return isScalar(node) && node.range?.[0] === node.range?.[1];
}

/** Why a node is rejected for its form alone, such as an alias or an anchor; `null`: it is not. */
function refusal(node: unknown): Complaint | null {
  if (isAlias(node) || (hasAnchor(node) && node.anchor !== undefined)) {
    return {
      message: 'anchors and aliases are not allowed',
      found: isAlias(node) ? shown(`*${node.source}`) : 'an anchor',
      expected: 'the value itself',
      hint: 'Write the value out, so that a policy can be read without following references.',
    };
  }
  if (hasAnchor(node) && node.tag !== undefined && !['!', 'tag:yaml.org,2002:str'].includes(node.tag)) {
    return {
      message: 'YAML tags are not allowed',
      found: shown(node.tag),
      expected: 'the value without a tag',
      hint: 'Remove the tag.',
    };
  }
  return null;
}

function hasAnchor(node: unknown): node is { anchor?: string; tag?: string } {
  return isScalar(node) || isMap(node) || isSeq(node);
}

function rangeOf(node: unknown): Spot['range'] {
  const range = isScalar(node) ? node.range : null;
  return range === null || range === undefined ? null : [range[0], range[1]];
}

function rangeStart(node: unknown): number | null {
  if (!(isScalar(node) || isMap(node) || isSeq(node) || isAlias(node))) return null;
  return node.range?.[0] ?? null;
}
