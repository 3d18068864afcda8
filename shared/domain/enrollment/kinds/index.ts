import type { EnrollmentKind, KindAction } from './kind.ts';
import { REGISTRY } from './registry.ts';

export type EnrollmentId = (typeof REGISTRY)[number]['id'];

/** The mutating operations of all kinds, by AWS's names. */
export type Operation = (typeof REGISTRY)[number]['actions'][number]['operation'];
export type Action = Operation | 'none';

type Kind = EnrollmentKind<EnrollmentId, Operation>;

export const KINDS: readonly Kind[] = REGISTRY;
/** A kind without prerequisites, for examples and hints. */
export const FIRST_KIND: Kind = REGISTRY[0];
export const ENROLLMENT_IDS: readonly EnrollmentId[] = KINDS.map(({ id }) => id);

/** The policy file's word for all kinds. It dates from the time when there were only two. */
export const EVERY_ENROLLMENT = 'both';

/** One value for each enrollment kind, in the order of the registry. */
export function byKind<T>(make: (id: EnrollmentId) => T): Record<EnrollmentId, T> {
  const values: Partial<Record<EnrollmentId, T>> = {};
  for (const id of ENROLLMENT_IDS) values[id] = make(id);
  if (!coversAllKinds(values)) throw new Error('unreachable: every kind of the registry has a value');
  return values;
}

function coversAllKinds<T>(values: Partial<Record<EnrollmentId, T>>): values is Record<EnrollmentId, T> {
  for (const id of ENROLLMENT_IDS) if (!(id in values)) return false;
  return true;
}

const KIND_OF = byKind((id) => KINDS.find((kind) => kind.id === id));

export function kindOf(id: EnrollmentId): Kind {
  const kind = KIND_OF[id];
  if (kind === undefined) throw new Error(`unreachable: ${id} is not in the registry`);
  return kind;
}

/** The kinds' names for people. */
export const TITLES: Readonly<Record<EnrollmentId, string>> = byKind((id) => kindOf(id).title);

/** The kinds that documents contain and people see: those of the first release, and later ones that are in use. */
export function kindsInUse(isInUse: (id: EnrollmentId) => boolean): readonly Kind[] {
  return KINDS.filter(({ id, sinceFirstRelease }) => sinceFirstRelease || isInUse(id));
}

/** Whether a partition has the service of the kind. */
export function isAvailable(id: EnrollmentId, partition: string): boolean {
  return kindOf(id).partitions?.includes(partition) ?? true;
}

/** The kinds that need this one to be Active. */
export function dependentsOf(id: EnrollmentId): readonly EnrollmentId[] {
  return KINDS.filter(({ prerequisites }) => prerequisites.includes(id)).map((kind) => kind.id);
}

/** The kinds whose state does not influence this one: no prerequisite connects them. */
const INDEPENDENT_OF = byKind((id) => {
  const connected = new Set<EnrollmentId>([id]);
  // Members that are added during the loop are visited as well.
  for (const each of connected)
    for (const other of [...kindOf(each).prerequisites, ...dependentsOf(each)]) connected.add(other);
  return ENROLLMENT_IDS.filter((other) => !connected.has(other));
});

export function independentOf(id: EnrollmentId): readonly EnrollmentId[] {
  return INDEPENDENT_OF[id];
}

/** The titles of the kinds that others need, for people: `Compute Optimizer`. */
export const PREREQUISITE_TITLES: string = KINDS.filter(({ id }) => dependentsOf(id).length > 0)
  .map(({ title }) => title)
  .join(' or ');

/** The action that an operation's name stands for in a kind; `null`: the kind has no such operation. */
export function actionOf(id: EnrollmentId, operation: string): KindAction<Operation> | null {
  return kindOf(id).actions.find((action) => action.operation === operation) ?? null;
}

/** The kind's action with this effect. @throws Error if it has none: only kinds with a rule mode associate and disassociate. */
export function actionFor(id: EnrollmentId, effect: KindAction['effect']): KindAction<Operation> {
  const found = kindOf(id).actions.find((action) => action.effect === effect);
  if (found === undefined) throw new Error(`${id} has no action that can ${effect}`);
  return found;
}

/** The largest number of accounts in one call of an operation. */
export function batchSizeOf(id: EnrollmentId, operation: string): number {
  return actionOf(id, operation)?.batchSize ?? 1;
}

/** The names of all mutating operations, each once. */
export const OPERATIONS: readonly Operation[] = [
  ...new Set(KINDS.flatMap(({ actions }) => actions.map(({ operation }) => operation))),
];

const isBatch = ({ scopes }: KindAction): boolean => scopes.includes('batch');

/** The operations that take many accounts in one call. */
export const BATCH_OPERATIONS: readonly Operation[] = OPERATIONS.filter((operation) =>
  KINDS.some(({ actions }) => actions.some((action) => action.operation === operation && isBatch(action))),
);

/** The kind of a batch operation. Only the kind with a rule mode has batches, so a work message names the operation alone. */
export function kindOfBatch(operation: Operation): EnrollmentId {
  return onlyKind(({ actions }) => actions.some((action) => action.operation === operation && isBatch(action)));
}

/** The kinds that one call can enable for the whole organization. */
export const ORGANIZATION_WIDE: readonly EnrollmentId[] = KINDS.filter(({ actions }) =>
  actions.some(({ scopes }) => scopes.includes('organization')),
).map(({ id }) => id);

/**
 * The kind with a rule mode, whose accounts are associated in batches. The policy has one field for the rule mode (`organizationRules`), so there may be
 * only one such kind.
 */
export const ASSOCIABLE: EnrollmentId = onlyKind(({ hasRuleMode }) => hasRuleMode);

function onlyKind(fits: (kind: Kind) => boolean): EnrollmentId {
  const [first, second] = KINDS.filter(fits);
  if (first === undefined || second !== undefined) throw new Error('the registry needs exactly one such kind');
  return first.id;
}
