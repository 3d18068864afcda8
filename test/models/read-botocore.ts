import { gunzipSync } from 'node:zlib';
import * as z from 'zod';
import type { ZipEntries } from '../support/zip.ts';
import {
  type Constraints,
  constraint,
  expandOperation,
  patternConstraint,
  type ServiceModel,
  type Shape,
} from './model.ts';

const referenceSchema = z.object({ shape: z.string() });
const shapeSchema = z.object({
  type: z.string(),
  required: z.array(z.string()).optional(),
  members: z.record(z.string(), referenceSchema).optional(),
  member: referenceSchema.optional(),
  value: referenceSchema.optional(),
  enum: z.array(z.string()).optional(),
  min: z.number().optional(),
  max: z.number().optional(),
  pattern: z.string().optional(),
  union: z.boolean().optional(),
});
const documentSchema = z.object({
  metadata: z.object({ serviceId: z.string() }),
  operations: z.record(
    z.string(),
    z.object({
      input: referenceSchema.optional(),
      output: referenceSchema.optional(),
      errors: z.array(referenceSchema).optional(),
    }),
  ),
  shapes: z.record(z.string(), shapeSchema),
});
type BotocoreShape = z.infer<typeof shapeSchema>;

/** Reads a service's model in the form that botocore, the core of AWS's Python SDK, publishes. */
export function readBotocore(document: unknown, source: string): ServiceModel {
  const { operations, shapes } = documentSchema.parse(document);
  const shapeOf = (name: string): Shape => {
    const shape = shapes[name];
    if (shape === undefined) throw new Error(`${source} lacks the shape ${name}`);
    return shapeFrom(shape);
  };
  const read = Object.entries(operations).map(([name, { input, output, errors = [] }]) => {
    const named = {
      input: input?.shape ?? null,
      output: output?.shape ?? null,
      errors: errors.map(({ shape }) => shape),
    };
    return [name, () => expandOperation(named, shapeOf)] as const;
  });
  return { source, hasConstraints: true, operations: new Map(read) };
}

function shapeFrom(shape: BotocoreShape): Shape {
  const { member, value, required = [] } = shape;
  const type = shape.union === true ? 'union' : shape.type;
  const described = { type, values: shape.enum ?? null, constraints: constraintsOf(shape) };
  if (member !== undefined) return { ...described, items: { target: member.shape } };
  if (value !== undefined) return { ...described, entries: { target: value.shape } };
  if (type !== 'structure' && type !== 'union') return described;
  const members = Object.entries(shape.members ?? {}).map(([name, { shape: target }]) => [
    name,
    { target, required: required.includes(name) },
  ]);
  return { ...described, members: Object.fromEntries(members) };
}

function constraintsOf({ type, min, max, pattern }: BotocoreShape): Constraints {
  const isNumber = ['integer', 'long', 'float', 'double'].includes(type);
  return { ...constraint(isNumber ? 'range' : 'length', min, max), ...patternConstraint(pattern) };
}

/** The models inside a botocore wheel, which is a zip file. */
export class BotocoreWheel {
  readonly name: string;
  readonly #entries: ZipEntries;

  constructor(entries: ZipEntries) {
    this.#entries = entries;
    const info = [...entries.keys()].find((name) => /^botocore-[^/]+\.dist-info\/METADATA$/.test(name));
    if (info === undefined)
      throw new Error('the file is not a botocore wheel: it has no botocore-….dist-info/METADATA');
    this.name = `botocore ${info.slice('botocore-'.length, info.indexOf('.dist-info'))}`;
  }

  /** The newest version of a service's model; `null` if the wheel does not contain the service. `folders` are its possible names. */
  read(folders: readonly string[], sdkId: string | null): ServiceModel | null {
    for (const folder of folders) {
      const found = this.#newest(folder);
      if (found === null) continue;
      const document: unknown = JSON.parse(found.toString('utf8'));
      const { serviceId } = documentSchema.parse(document).metadata;
      if (sdkId === null || serviceId === sdkId) return readBotocore(document, this.name);
    }
    return null;
  }

  #newest(folder: string): Buffer | null {
    const path = new RegExp(`^botocore/data/${folder}/[^/]+/service-2\\.json(\\.gz)?$`);
    const name = [...this.#entries.keys()]
      .filter((entry) => path.test(entry))
      .sort()
      .at(-1);
    const content = name === undefined ? undefined : this.#entries.get(name)?.();
    if (content === undefined) return null;
    return name?.endsWith('.gz') === true ? gunzipSync(content) : content;
  }
}
