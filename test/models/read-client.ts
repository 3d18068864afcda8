import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { expandOperation, type OperationShapes, type Reference, type ServiceModel, type Shape } from './model.ts';

/*
 * Reads the TypeScript declarations of a client of AWS's JavaScript SDK (`dist-types`). They state operations, members, enums and errors. The
 * schemas in the same package state less: neither enum values nor the errors of each operation. Nothing of the package is executed.
 */

const packageSchema = z.object({ name: z.string(), version: z.string() });

export function readClient(directory: string): ServiceModel {
  const { name, version } = packageSchema.parse(JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')));
  const source = `${name} ${version}`;
  const types = join(directory, 'dist-types');
  const declared = declarations(filesOf(join(types, 'models')));
  const shapeOf = (type: string): Shape => shapeFrom(type, declared, source);
  const operations = new Map(
    filesOf(join(types, 'commands'), /Command\.d\.ts$/).map((text) => {
      const [operation, shapes] = operationIn(text, source);
      return [operation, () => expandOperation(shapes, shapeOf)] as const;
    }),
  );
  if (operations.size === 0) throw new Error(`${source} declares no operation`);
  return { source, hasConstraints: false, operations };
}

function filesOf(directory: string, name = /\.d\.ts$/): string[] {
  const files = readdirSync(directory).filter((file) => name.test(file));
  return files.map((file) => readFileSync(join(directory, file), 'utf8'));
}

/** The declarations of one command: `api: { input: ListAccountsRequest; output: ListAccountsResponse; }`, and `@throws` for each error. */
function operationIn(text: string, source: string): readonly [string, OperationShapes] {
  const operation = /export declare class (\w+)Command extends/.exec(text)?.[1];
  const api = /api: \{\s*input: (\w+|\{\});\s*output: (\w+|\{\});/.exec(text);
  if (operation === undefined || api === null) throw new Error(`${source} declares a command in an unknown way`);
  const shape = (name = '{}'): string | null => (name === '{}' ? null : name);
  const thrown = [...text.matchAll(/@throws \{@link (\w+)\} \((?:client|server) fault\)/g)];
  const errors = thrown.flatMap(([, name]) => (name === undefined ? [] : [name]));
  return [operation, { input: shape(api[1]), output: shape(api[2]), errors }];
}

interface Declarations {
  readonly structures: ReadonlyMap<string, Readonly<Record<string, Reference>>>;
  readonly unions: ReadonlyMap<string, Readonly<Record<string, Reference>>>;
  readonly enums: ReadonlyMap<string, readonly string[]>;
}

function declarations(files: readonly string[]): Declarations {
  const text = files.join('\n').replace(/\/\*[\s\S]*?\*\//g, '');
  const structures = [...text.matchAll(/^export interface (\w+)[^{]*\{\n([\s\S]*?)^\}/gm)].map(
    ([, name = '', body = '']) => [name, membersIn(body)] as const,
  );
  const unions = [...text.matchAll(/^export declare namespace (\w+) \{\n([\s\S]*?)^\}/gm)].map(
    ([, name = '', body = '']) => [name, alternativesIn(body)] as const,
  );
  const enums = [...text.matchAll(/^export declare const (\w+): \{\n([\s\S]*?)^\}/gm)].map(
    ([, name = '', body = '']) => [name, [...body.matchAll(/: "([^"]*)";/g)].map(([, value = '']) => value)] as const,
  );
  return { structures: new Map(structures), unions: new Map(unions), enums: new Map(enums) };
}

/** A required member has no question mark: `status: Status | undefined;`. */
function membersIn(body: string): Record<string, Reference> {
  const members = body.matchAll(/^ {4}(\w+)(\??): ([^;]+);/gm);
  return Object.fromEntries(
    [...members].map(([, name = '', optional, type = '']) => [
      name,
      { target: type.replace(/ \| undefined$/, ''), required: optional === '' },
    ]),
  );
}

/** A union is a namespace with an interface for each alternative, in which the other alternatives are `never`. */
function alternativesIn(body: string): Record<string, Reference> {
  // The namespace also has a visitor, whose members are functions.
  const members = [...body.matchAll(/^ {8}(\w+): (\w[^;]*);/gm)];
  return Object.fromEntries(members.map(([, name = '', target = '']) => [name, { target }]));
}

const SIMPLE: Readonly<Record<string, string>> = {
  string: 'string',
  boolean: 'boolean',
  number: 'number',
  Date: 'timestamp',
  Uint8Array: 'blob',
};

function shapeFrom(declared: string, { structures, unions, enums }: Declarations, source: string): Shape {
  const type = declared.replace(/^Partial<(.*)>$/, '$1');
  const simple = SIMPLE[type];
  if (simple !== undefined) return { type: simple };
  if (type.endsWith('[]')) return { type: 'list', items: { target: type.slice(0, -2) } };
  const entries = /^Record<\w+, (.*)>$/.exec(type)?.[1];
  if (entries !== undefined) return { type: 'map', entries: { target: entries } };
  if (type.startsWith('StreamingBlob')) return { type: 'blob' };
  const values = enums.get(type);
  if (values !== undefined) return { type: 'string', values };
  const alternatives = unions.get(type);
  if (alternatives !== undefined) return { type: 'union', members: alternatives };
  const members = structures.get(type);
  if (members !== undefined) return { type: 'structure', members };
  throw new Error(`${source} declares the type ${type} in an unknown way`);
}
