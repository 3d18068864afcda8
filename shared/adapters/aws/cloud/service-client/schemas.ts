import { TypeRegistry } from '@smithy/core/schema';
import type { ModelledError, ServiceExceptionClass } from './errors.ts';

/*
 * The SDK's own schema notation: `[kind, namespace, name, traits, memberNames, memberSchemas]`. Kinds and simple types are numbers in that notation,
 * which the constants below name.
 */
const STRUCTURE = 3;
const UNION = 4;
const LIST = 1;
const OPERATION = 9;
const ERROR = -3;
export const STRING = 0;
export const INTEGER = 1;
export const BOOLEAN = 2;
export const TIMESTAMP = 4;
export const STRING_LIST = 64;
export const NO_TRAITS = 0;
/** Bit of the trait `smithy.api#idempotencyToken`: the serializer generates a random token by default. */
export const IDEMPOTENCY_TOKEN = 4;
/** Bit of the trait `smithy.api#idempotent`. */
export const IDEMPOTENT = 2;

export type Member = number | [number, number] | Structure | Union | List;
type Structure = [typeof STRUCTURE, string, string, number, string[], Member[]];
type Union = [typeof UNION, string, string, number, string[], Member[]];
type List = [typeof LIST, string, string, number, Structure];
type Operation = [typeof OPERATION, string, string, number, Structure, Structure];

export interface Shapes {
  readonly namespace: string;
  structure(name: string, members: Readonly<Record<string, Member>>): Structure;
  union(name: string, members: Readonly<Record<string, Member>>): Union;
  list(name: string, item: Structure): List;
  operation(name: string, traits: number, input: Structure, output: Structure): Operation;
  /** The registries in which the protocol looks up the class of an error; created with each client. */
  errorTypeRegistries(): TypeRegistry[];
}

interface ErrorClasses {
  readonly base: ServiceExceptionClass;
  readonly baseName: string;
  readonly modelled: readonly ModelledError[];
}

/** Creates the shapes of a service in the namespace of its Smithy model. */
export function shapesOf(namespace: string, errors: ErrorClasses): Shapes {
  return {
    namespace,
    structure: (name, members) => [STRUCTURE, namespace, name, NO_TRAITS, Object.keys(members), Object.values(members)],
    union: (name, members) => [UNION, namespace, name, NO_TRAITS, Object.keys(members), Object.values(members)],
    list: (name, item) => [LIST, namespace, name, NO_TRAITS, item],
    operation: (name, traits, input, output) => [OPERATION, namespace, name, traits, input, output],
    errorTypeRegistries: () => registriesOf(namespace, errors),
  };
}

function registriesOf(namespace: string, { base, baseName, modelled }: ErrorClasses): TypeRegistry[] {
  const baseNamespace = `smithy.ts.sdk.synthetic.${namespace}`;
  const baseRegistry = TypeRegistry.for(baseNamespace);
  baseRegistry.registerError([ERROR, baseNamespace, baseName, NO_TRAITS, [], []], base);
  const registry = TypeRegistry.for(namespace);
  for (const { errorType, name, fault } of modelled) {
    registry.registerError([ERROR, namespace, name, { error: fault }, ['message'], [STRING]], errorType);
  }
  return [baseRegistry, registry];
}
