import type { Member, OperationModel, ServiceModel } from './model.ts';

export interface Difference {
  /** `null` for an operation that AWS added and Rollcall does not use. */
  readonly operation: string | null;
  /** A path as in `OperationModel.members`, or the name of an operation or an error. */
  readonly place: string;
  readonly change:
    | 'operation added'
    | 'operation removed'
    | 'member added'
    | 'member removed'
    | 'type changed'
    | 'now required'
    | 'now optional'
    | 'values added'
    | 'values removed'
    | 'values changed'
    | 'length changed'
    | 'range changed'
    | 'pattern changed'
    | 'error added'
    | 'error removed';
  readonly before: string | null;
  readonly after: string | null;
}

const CONSTRAINTS = ['length', 'range', 'pattern'] as const;
const NUMBERS = ['integer', 'long', 'float', 'double', 'byte', 'short'];

/** How `after` differs from `before` in the operations that Rollcall uses. Details that only one of the sources can state are not compared. */
export function compareModels(before: ServiceModel, after: ServiceModel, used: readonly string[]): Difference[] {
  const withConstraints = before.hasConstraints && after.hasConstraints;
  return used.flatMap((operation) => {
    const was = before.operations.get(operation)?.();
    const is = after.operations.get(operation)?.();
    if (is === undefined) return [difference(null, operation, 'operation removed', operation, null)];
    if (was === undefined) throw new Error(`${before.source} lacks ${operation}, which Rollcall calls`);
    return [...compareMembers(was, is, withConstraints), ...compareErrors(was, is)].map((found) => ({
      ...found,
      operation,
    }));
  });
}

/** Operations of the service that nobody has reviewed yet. */
export function newOperations(published: readonly string[], known: readonly string[]): Difference[] {
  const added = published.filter((name) => !known.includes(name));
  return added.map((name) => difference(null, name, 'operation added', null, name));
}

function difference(
  operation: string | null,
  place: string,
  change: Difference['change'],
  before: string | null,
  after: string | null,
): Difference {
  return { operation, place, change, before, after };
}

function compareMembers(was: OperationModel, is: OperationModel, withConstraints: boolean): Difference[] {
  const paths = [...new Set([...was.members.keys(), ...is.members.keys()])];
  const found: Difference[] = [];
  /** Added and removed structures. Their members are not reported separately. */
  const covered: string[] = [];
  for (const path of paths) {
    if (covered.some((above) => path.startsWith(above) && /^[.[{]/.test(path.slice(above.length)))) continue;
    const [before, after] = [was.members.get(path), is.members.get(path)];
    if (before !== undefined && after !== undefined) {
      found.push(...compareMember(path, before, after, withConstraints));
      continue;
    }
    covered.push(path);
    if (after !== undefined) found.push(difference(null, path, 'member added', null, describe(after, path, is)));
    else if (before !== undefined)
      found.push(difference(null, path, 'member removed', describe(before, path, was), null));
  }
  return found;
}

function describe({ type, required, values }: Member, path: string, { members }: OperationModel): string {
  const below = [...members.keys()]
    .filter((other) => other.startsWith(`${path}.`))
    .map((other) => other.slice(path.length + 1));
  const names = below.filter((name) => /^\w+$/.test(name));
  const content = values ?? names;
  return [type, required ? 'required' : 'optional', ...(content.length === 0 ? [] : [content.join(' | ')])].join(', ');
}

function compareMember(path: string, before: Member, after: Member, withConstraints: boolean): Difference[] {
  const found: Difference[] = [];
  const add = (change: Difference['change'], was: string | null, is: string | null): void =>
    void found.push(difference(null, path, change, was, is));
  if (!sameType(before.type, after.type)) add('type changed', before.type, after.type);
  if (before.required && !after.required) add('now optional', 'required', 'optional');
  if (!before.required && after.required) add('now required', 'optional', 'required');
  compareValues(before.values, after.values, add);
  for (const name of withConstraints ? CONSTRAINTS : []) {
    const [was, is] = [before.constraints[name] ?? null, after.constraints[name] ?? null];
    if (was !== is) add(`${name} changed`, was, is);
  }
  return found;
}

function compareValues(
  before: readonly string[] | null,
  after: readonly string[] | null,
  add: (change: Difference['change'], was: string | null, is: string | null) => void,
): void {
  if (before === null || after === null) {
    if (before !== after) add('values changed', before?.join(', ') ?? 'any', after?.join(', ') ?? 'any');
    return;
  }
  const added = after.filter((value) => !before.includes(value));
  const removed = before.filter((value) => !after.includes(value));
  if (added.length > 0) add('values added', null, added.join(', '));
  if (removed.length > 0) add('values removed', removed.join(', '), null);
}

/** The JavaScript client has one type for all numbers. A union looks like a structure on the wire, and not every source marks it. */
function sameType(before: string, after: string): boolean {
  const same = (name: string, others: readonly string[]): boolean =>
    (before === name && others.includes(after)) || (after === name && others.includes(before));
  return before === after || same('number', NUMBERS) || same('structure', ['union']);
}

function compareErrors(was: OperationModel, is: OperationModel): Difference[] {
  const added = [...is.errors].filter((name) => !was.errors.has(name)).sort();
  const removed = [...was.errors].filter((name) => !is.errors.has(name)).sort();
  return [
    ...added.map((name) => difference(null, name, 'error added', null, name)),
    ...removed.map((name) => difference(null, name, 'error removed', name, null)),
  ];
}
