import type { EnrollmentId } from '../../shared/domain/enrollment/kinds/index.ts';

/** AWS's mutating operations, written here independently of the product's registry. By service, because two services may share a name. */
const MUTATING: Readonly<Record<string, Readonly<Record<string, EnrollmentId>>>> = {
  'compute-optimizer': { UpdateEnrollmentStatus: 'computeOptimizer' },
  'aco-automation': {
    UpdateEnrollmentConfiguration: 'automation',
    AssociateAccounts: 'automation',
    DisassociateAccounts: 'automation',
    PutOrganizationEnrollmentConfiguration: 'automation',
    DeleteOrganizationEnrollmentConfiguration: 'automation',
  },
  'cost-optimization-hub': { UpdateEnrollmentStatus: 'costOptimizationHub' },
};

/** A call at the simulated AWS. */
interface ServiceCall {
  readonly service: string;
  readonly operation: string;
}

/** The enrollment that a call changes; `null`: it changes none. */
export function enrollmentChangedBy({ service, operation }: ServiceCall): EnrollmentId | null {
  return MUTATING[service]?.[operation] ?? null;
}

export const MUTATING_CALLS: readonly ServiceCall[] = Object.entries(MUTATING).flatMap(([service, operations]) =>
  Object.keys(operations).map((operation) => ({ service, operation })),
);
