import type { World } from './world.ts';

type Listed = { readonly accountId: string };

/** Replaces pages of Compute Optimizer's listing. */
export function changePages(
  world: World,
  change: (page: readonly Listed[], number: number) => readonly unknown[],
): void {
  let number = 0;
  world.wire.onAnswer = ({ operation }, answer) => {
    if (operation !== 'GetEnrollmentStatusesForOrganization' || answer.kind !== 'ok') return undefined;
    number += 1;
    const page = listedIn(answer.output['accountEnrollmentStatuses']);
    return { ...answer, output: { ...answer.output, accountEnrollmentStatuses: change(page, number) } };
  };
}

function listedIn(value: unknown): Listed[] {
  if (!Array.isArray(value)) throw new Error('the answer has no page');
  return value;
}
