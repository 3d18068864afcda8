import { AUTOMATION } from './automation.ts';
import { COMPUTE_OPTIMIZER } from './compute-optimizer.ts';
import type { EnrollmentKind } from './kind.ts';

/** The registry of enrollment kinds, each after its prerequisites. A new kind is one line here. */
const REGISTRY = [COMPUTE_OPTIMIZER, AUTOMATION] as const;

export type EnrollmentId = (typeof REGISTRY)[number]['id'];
export type Kind = EnrollmentKind<EnrollmentId>;

export const KINDS: readonly Kind[] = REGISTRY;
/** The kind that has no prerequisite: examples name it. */
export const FIRST_KIND: Kind = REGISTRY[0];
export const ENROLLMENT_IDS: readonly EnrollmentId[] = KINDS.map(({ id }) => id);

/** The mutating operations of all kinds. */
export type MutatingAction = (typeof REGISTRY)[number]['actions'][number]['action'];

/** The word of the policy file for every kind; it is older than the third kind. */
export const EVERY_ENROLLMENT = 'both';

/** One value for each enrollment kind, in the order of the registry. */
export function byKind<T>(make: (id: EnrollmentId) => T): Record<EnrollmentId, T> {
  const values: Partial<Record<EnrollmentId, T>> = {};
  for (const id of ENROLLMENT_IDS) values[id] = make(id);
  if (!coversAllKinds(values)) throw new Error('unreachable: every kind of the registry has a value');
  return values;
}

function coversAllKinds<T>(values: Partial<Record<EnrollmentId, T>>): values is Record<EnrollmentId, T> {
  return ENROLLMENT_IDS.every((id) => Object.hasOwn(values, id));
}

const KIND_OF = byKind((id) => KINDS.find((kind) => kind.id === id));

export function kindOf(id: EnrollmentId): Kind {
  const kind = KIND_OF[id];
  if (kind === undefined) throw new Error(`unreachable: ${id} is not in the registry`);
  return kind;
}

/**
 * The kind that one call can enable for the whole organization. The reconciler knows one such kind; a kind is given the scope `organization` only
 * when its work messages name it.
 */
export const ORGANIZATION_WIDE: EnrollmentId = onlyKind(({ actions }) =>
  actions.some(({ scopes }) => scopes.includes('organization')),
);

function onlyKind(fits: (kind: Kind) => boolean): EnrollmentId {
  const [first, second] = KINDS.filter(fits);
  if (first === undefined || second !== undefined) throw new Error('the registry needs exactly one such kind');
  return first.id;
}

/** The kinds that need this one to be Active. */
export function dependentsOf(id: EnrollmentId): readonly EnrollmentId[] {
  return KINDS.filter(({ prerequisites }) => prerequisites.includes(id)).map((kind) => kind.id);
}
