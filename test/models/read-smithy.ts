import * as z from 'zod';
import {
  type Constraints,
  constraint,
  expandOperation,
  patternConstraint,
  type Reference,
  type ServiceModel,
  type Shape,
} from './model.ts';

const traitsSchema = z
  .object({
    'smithy.api#required': z.unknown(),
    'smithy.api#enumValue': z.string(),
    'smithy.api#length': z.object({ min: z.number().optional(), max: z.number().optional() }),
    'smithy.api#range': z.object({ min: z.number().optional(), max: z.number().optional() }),
    'smithy.api#pattern': z.string(),
    'aws.api#service': z.object({ sdkId: z.string() }),
    'aws.auth#sigv4': z.object({ name: z.string() }),
  })
  .partial();
type Traits = z.infer<typeof traitsSchema>;
const referenceSchema = z.object({ target: z.string(), traits: traitsSchema.nullish() });
const shapeSchema = z.object({
  type: z.string(),
  traits: traitsSchema.nullish(),
  members: z.record(z.string(), referenceSchema).optional(),
  member: referenceSchema.optional(),
  value: referenceSchema.optional(),
  input: referenceSchema.optional(),
  output: referenceSchema.optional(),
  errors: z.array(referenceSchema).optional(),
});
const documentSchema = z.object({ shapes: z.record(z.string(), shapeSchema) });
type SmithyShape = z.infer<typeof shapeSchema>;

export interface SmithyService extends ServiceModel {
  /** The name that SDKs derive theirs from, e.g. `Compute Optimizer`. */
  readonly sdkId: string;
  readonly signingName: string;
}

/** Reads a Smithy model in its JSON form, which the sandbox validates with. */
export function readSmithy(document: unknown, source: string): SmithyService {
  const { shapes } = documentSchema.parse(document);
  const service = Object.values(shapes).find(({ type }) => type === 'service');
  const sdkId = service?.traits?.['aws.api#service']?.sdkId;
  const signingName = service?.traits?.['aws.auth#sigv4']?.name;
  if (sdkId === undefined || signingName === undefined) throw new Error('the Smithy model names no service');
  const shapeOf = (id: string): Shape => {
    const shape = shapes[id];
    if (shape !== undefined) return shapeFrom(shape);
    if (id.startsWith('smithy.api#')) return { type: localName(id).toLowerCase() };
    throw new Error(`the Smithy model lacks the shape ${id}`);
  };
  const operations = Object.entries(shapes).filter(([, { type }]) => type === 'operation');
  return {
    ...{ source, sdkId, signingName, hasConstraints: true },
    operations: new Map(
      operations.map(([id, { input, output, errors = [] }]) => [
        localName(id),
        () =>
          expandOperation(
            { input: io(input), output: io(output), errors: errors.map(({ target }) => localName(target)) },
            shapeOf,
          ),
      ]),
    ),
  };
}

const localName = (id: string): string => id.slice(id.indexOf('#') + 1);

function io(reference: { readonly target: string } | undefined): string | null {
  return reference === undefined || reference.target === 'smithy.api#Unit' ? null : reference.target;
}

function shapeFrom({ type, traits, members = {}, member, value }: SmithyShape): Shape {
  const constraints = constraintsOf(traits);
  if (type === 'enum') {
    const values = Object.entries(members).map(([name, { traits: own }]) => own?.['smithy.api#enumValue'] ?? name);
    return { type: 'string', values, constraints };
  }
  if (type === 'list' && member !== undefined) return { type, constraints, items: referenceFrom(member) };
  if (type === 'map' && value !== undefined) return { type, constraints, entries: referenceFrom(value) };
  if (type !== 'structure' && type !== 'union') return { type, constraints };
  const named = Object.entries(members).map(([name, reference]) => [name, referenceFrom(reference)]);
  return { type, constraints, members: Object.fromEntries(named) };
}

function referenceFrom({ target, traits }: z.infer<typeof referenceSchema>): Reference {
  const required = traits !== undefined && traits !== null && 'smithy.api#required' in traits;
  return { target, required, constraints: constraintsOf(traits) };
}

function constraintsOf(traits: Traits | null | undefined): Constraints {
  const length = traits?.['smithy.api#length'];
  const range = traits?.['smithy.api#range'];
  return {
    ...constraint('length', length?.min, length?.max),
    ...constraint('range', range?.min, range?.max),
    ...patternConstraint(traits?.['smithy.api#pattern']),
  };
}
