import type { Plan } from '../../../shared/app/plan/plan.ts';
import { oneLine } from './table.ts';
import { count, number } from './words.ts';
import { hang } from './wrap.ts';

/** Accounts that are named. */
const NAMED = 10;

/** `RollcallMember cannot be assumed in 3 of 118 accounts; the run skips them: …`; `null`: every role that was needed could be assumed. */
export function deniedRolesText({ deniedRoles, coverage }: DeniedRoles, memberRole: string): string | null {
  if (deniedRoles.length === 0) return null;
  const named = deniedRoles.slice(0, NAMED).map(({ accountId, accountName }) => `${accountId} ${oneLine(accountName)}`);
  const more = deniedRoles.length > NAMED ? `, and ${count(deniedRoles.length - NAMED, 'more account')}` : '';
  const accounts = `${number(deniedRoles.length)} of ${count(coverage.evaluated + coverage.unknown, 'account')}`;
  return `${memberRole} cannot be assumed in ${accounts}; the run skips ${deniedRoles.length === 1 ? 'it' : 'them'}: ${named.join(', ')}${more}`;
}

type DeniedRoles = Pick<Plan, 'deniedRoles' | 'coverage'>;

/** The warning about member roles, and how to fix them. Empty if there are none. @param width of the terminal; `null`: none */
export function deniedRolesLines(plan: DeniedRoles, memberRole: string, width: number | null): string[] {
  const text = deniedRolesText(plan, memberRole);
  if (text === null) return [];
  return [...hang('', `warning: ${text}`, width, 2), '  Fix: rollcall doctor shows the command that deploys the role'];
}
