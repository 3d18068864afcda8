import { AUTOMATION } from './automation.ts';
import { COMPUTE_OPTIMIZER } from './compute-optimizer.ts';
import type { EnrollmentKind } from './kind.ts';

/** The registry of enrollment kinds, each after its prerequisites. A new kind is one line here. */
const REGISTRY = [COMPUTE_OPTIMIZER, AUTOMATION] as const;

export type EnrollmentId = (typeof REGISTRY)[number]['id'];
export type Kind = EnrollmentKind<EnrollmentId>;

export const KINDS: readonly Kind[] = REGISTRY;
export const ENROLLMENT_IDS: readonly EnrollmentId[] = KINDS.map(({ id }) => id);

/** The mutating operations of all kinds. */
export type Action = (typeof REGISTRY)[number]['actions'][number]['action'];
