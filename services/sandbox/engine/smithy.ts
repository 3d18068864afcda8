import * as z from 'zod';

/** Validates requests against Smithy AST models. Models are compiled into checks once, so that a request needs no lookups. */

const reference = z.object({ target: z.string(), traits: z.record(z.string(), z.unknown()).optional() });
const shapeSchema = z.object({
  type: z.string(),
  members: z.record(z.string(), reference).optional(),
  member: reference.optional(),
  traits: z.record(z.string(), z.unknown()).nullish(),
  operations: z.array(reference).optional(),
  input: reference.optional(),
  output: reference.optional(),
  errors: z.array(reference).optional(),
});
const modelSchema = z.object({ shapes: z.record(z.string(), shapeSchema) });
type Shape = z.infer<typeof shapeSchema>;
type Reference = z.infer<typeof reference>;

const rangeTrait = z.object({ min: z.number().optional(), max: z.number().optional() });

export type ViolationKind =
  | 'type'
  | 'required'
  | 'enum'
  | 'pattern'
  | 'min-length'
  | 'max-length'
  | 'min-value'
  | 'max-value';
/** A violated constraint. `message` has the format of AWS's validation errors. */
export type Violation = { path: string; kind: ViolationKind; message: string };
/** Appends the violations of `value` to `found`. */
type Check = (value: unknown, path: string, found: Violation[]) => void;

export type OperationModel = {
  name: string;
  checkInput: Check;
  checkOutput: Check;
  /** To decode protocols that only have strings (awsQuery). */
  inputShape: string;
  /** Modelled error names with their HTTP status. */
  errors: ReadonlyMap<string, number>;
};

export type ServiceModel = {
  /** The namespace of the shapes, for qualified error types. */
  namespace: string;
  /** Name of the service shape: the awsJson target prefix and the rpc-v2-cbor path segment. */
  shapeName: string;
  operations: ReadonlyMap<string, OperationModel>;
  errors: ReadonlyMap<string, number>;
  /** The awsQuery name of an error, if it differs from the shape's name (trait awsQueryError). */
  queryCodes: ReadonlyMap<string, string>;
  shape(id: string): Shape | undefined;
};

const PRELUDE: Readonly<Record<string, string>> = {
  'smithy.api#String': 'string',
  'smithy.api#Integer': 'integer',
  'smithy.api#Long': 'long',
  'smithy.api#Boolean': 'boolean',
  'smithy.api#Timestamp': 'timestamp',
  'smithy.api#Unit': 'structure',
};

const localName = (id: string): string => id.slice(id.indexOf('#') + 1);

/** Compiles a Smithy AST document with exactly one service. Throws for any other document. */
export function compileService(document: unknown): ServiceModel {
  const { shapes } = modelSchema.parse(document);
  const entry = Object.entries(shapes).find(([, shape]) => shape.type === 'service');
  if (entry === undefined) throw new Error('The Smithy model has no service shape');
  const [serviceId, service] = entry;
  const compiler = new Compiler(shapes);
  const errors = new Map<string, number>();
  const operations = new Map<string, OperationModel>();
  for (const { target } of service.operations ?? []) {
    const operation = compiler.operation(target);
    operations.set(operation.name, operation);
    for (const [code, status] of operation.errors) errors.set(code, status);
  }
  const namespace = serviceId.slice(0, serviceId.indexOf('#'));
  const shape = (id: string): Shape | undefined => compiler.shape(id);
  return { namespace, shapeName: localName(serviceId), operations, errors, queryCodes: queryCodesOf(shapes), shape };
}

const queryErrorSchema = z.object({ 'aws.protocols#awsQueryError': z.object({ code: z.string() }) });

function queryCodesOf(shapes: Readonly<Record<string, Shape>>): Map<string, string> {
  const codes = new Map<string, string>();
  for (const [id, { traits }] of Object.entries(shapes)) {
    const named = queryErrorSchema.safeParse(traits);
    if (named.success) codes.set(localName(id), named.data['aws.protocols#awsQueryError'].code);
  }
  return codes;
}

class Compiler {
  readonly #shapes: Readonly<Record<string, Shape>>;
  readonly #checks = new Map<string, Check>();

  constructor(shapes: Readonly<Record<string, Shape>>) {
    this.#shapes = shapes;
  }

  shape(id: string): Shape | undefined {
    const prelude = PRELUDE[id];
    return prelude === undefined ? this.#shapes[id] : { type: prelude };
  }

  operation(id: string): OperationModel {
    const shape = this.shape(id);
    if (shape === undefined) throw new Error(`The Smithy model lacks the operation ${id}`);
    const errors = new Map<string, number>();
    for (const { target } of shape.errors ?? []) {
      const traits = this.shape(target)?.traits;
      const status = traits?.['smithy.api#httpError'] ?? 400;
      if (typeof status !== 'number') throw new Error(`${target} has no numeric httpError`);
      errors.set(localName(target), status);
    }
    const inputShape = shape.input?.target ?? 'smithy.api#Unit';
    return {
      name: localName(id),
      checkInput: this.check(inputShape),
      checkOutput: this.check(shape.output?.target ?? 'smithy.api#Unit'),
      inputShape,
      errors,
    };
  }

  check(id: string, traits: Reference['traits'] = {}): Check {
    const narrowing = Object.keys(traits).filter((trait) => trait !== 'smithy.api#required');
    if (narrowing.length > 0) return this.#compile(id, traits);
    const known = this.#checks.get(id);
    if (known !== undefined) return known;
    const compiled = this.#compile(id, {});
    this.#checks.set(id, compiled);
    return compiled;
  }

  #compile(id: string, extra: Readonly<Record<string, unknown>>): Check {
    const shape = this.shape(id);
    if (shape === undefined) throw new Error(`The Smithy model lacks the shape ${id}`);
    const traits = { ...shape.traits, ...extra };
    switch (shape.type) {
      case 'structure':
        return this.#structure(shape);
      case 'union':
        return this.#union(shape);
      case 'list':
        return this.#list(shape, traits);
      case 'enum':
        return enumCheck(shape);
      case 'string':
        return stringCheck(traits);
      case 'integer':
      case 'long':
        return integerCheck(traits);
      case 'boolean':
        return typeCheck('boolean', (value) => typeof value === 'boolean');
      case 'timestamp':
        return typeCheck('timestamp', (value) => value instanceof Date || Number.isFinite(value));
      default:
        throw new Error(`Shapes of type ${shape.type} are not supported (${id})`);
    }
  }

  #structure(shape: Shape): Check {
    const members = Object.entries(shape.members ?? {}).map(([name, { target, traits }]) => ({
      name,
      required: traits?.['smithy.api#required'] !== undefined,
      check: this.check(target, traits),
    }));
    return (value, path, found) => {
      if (!isRecord(value)) {
        found.push(wrongType(path, 'structure'));
        return;
      }
      for (const { name, required, check } of members) {
        const member = Object.hasOwn(value, name) ? value[name] : undefined;
        const at = path === '' ? name : `${path}.${name}`;
        if (member !== undefined && member !== null) check(member, at, found);
        else if (required) found.push(violation('required', null, at, 'Member must not be null'));
      }
    };
  }

  /** Exactly one member is present. Unknown members do not count. */
  #union(shape: Shape): Check {
    const members = this.#structure(shape);
    const names = Object.keys(shape.members ?? {});
    return (value, path, found) => {
      members(value, path, found);
      if (!isRecord(value)) return;
      const present = names.filter((name) => Object.hasOwn(value, name) && value[name] != null);
      if (present.length !== 1) found.push(wrongType(path, 'union with exactly one member'));
    };
  }

  #list(shape: Shape, traits: Readonly<Record<string, unknown>>): Check {
    if (shape.member === undefined) throw new Error('A list shape without a member');
    const item = this.check(shape.member.target, shape.member.traits);
    const length = lengthCheck(traits);
    return (value, path, found) => {
      if (!Array.isArray(value)) {
        found.push(wrongType(path, 'list'));
        return;
      }
      length(value.length, value, path, found);
      for (let index = 0; index < value.length; index += 1) {
        const member: unknown = value[index];
        const at = `${path}.${index + 1}.member`;
        if (member === null || member === undefined) found.push(wrongType(at, 'list member'));
        else item(member, at, found);
      }
    };
  }
}

/** Recognizes a plain object in untrusted input. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

function wrongType(path: string, expected: string): Violation {
  return { path, kind: 'type', message: `Expected a ${expected} at '${path === '' ? 'body' : path}'` };
}

/** For `JSON.stringify`, which throws for a bigint. A CBOR request may contain one. */
function plainly(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}

function violation(kind: ViolationKind, value: unknown, path: string, constraint: string): Violation {
  const text = typeof value === 'object' ? JSON.stringify(value, plainly) : String(value);
  const shown = value === null ? 'null' : `'${text.slice(0, 120)}'`;
  return { path, kind, message: `Value ${shown} at '${path}' failed to satisfy constraint: ${constraint}` };
}

function typeCheck(expected: string, matches: (value: unknown) => boolean): Check {
  return (value, path, found) => {
    if (!matches(value)) found.push(wrongType(path, expected));
  };
}

function enumCheck(shape: Shape): Check {
  const values = Object.entries(shape.members ?? {}).map(([name, { traits }]) =>
    String(traits?.['smithy.api#enumValue'] ?? name),
  );
  const allowed = new Set(values);
  const constraint = `Member must satisfy enum value set: [${values.join(', ')}]`;
  return (value, path, found) => {
    if (typeof value !== 'string') found.push(wrongType(path, 'string'));
    else if (!allowed.has(value)) found.push(violation('enum', value, path, constraint));
  };
}

function lengthCheck(traits: Readonly<Record<string, unknown>>) {
  const { min, max } = rangeTrait.parse(traits['smithy.api#length'] ?? {});
  return (length: number, value: unknown, path: string, found: Violation[]): void => {
    if (min !== undefined && length < min)
      found.push(violation('min-length', value, path, `Member must have length greater than or equal to ${min}`));
    if (max !== undefined && length > max)
      found.push(violation('max-length', value, path, `Member must have length less than or equal to ${max}`));
  };
}

function stringCheck(traits: Readonly<Record<string, unknown>>): Check {
  const source = traits['smithy.api#pattern'];
  // Unicode classes need the u flag; other AWS patterns contain escapes that the u flag rejects.
  const pattern = typeof source === 'string' ? new RegExp(source, source.includes('\\p{') ? 'u' : '') : null;
  const length = lengthCheck(traits);
  return (value, path, found) => {
    if (typeof value !== 'string') {
      found.push(wrongType(path, 'string'));
      return;
    }
    length(value.length, value, path, found);
    if (pattern !== null && !pattern.test(value))
      found.push(violation('pattern', value, path, `Member must satisfy regular expression pattern: ${source}`));
  };
}

function integerCheck(traits: Readonly<Record<string, unknown>>): Check {
  const { min, max } = rangeTrait.parse(traits['smithy.api#range'] ?? {});
  return (value, path, found) => {
    if (typeof value !== 'number' || !Number.isSafeInteger(value)) {
      found.push(wrongType(path, 'integer'));
      return;
    }
    if (min !== undefined && value < min)
      found.push(violation('min-value', value, path, `Member must have value greater than or equal to ${min}`));
    if (max !== undefined && value > max)
      found.push(violation('max-value', value, path, `Member must have value less than or equal to ${max}`));
  };
}
