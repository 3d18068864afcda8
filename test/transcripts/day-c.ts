import { type Bed, bed } from './bed.ts';

/** The accounts of the transcripts. */
export const NAMED = {
  denied: '415098496037',
  contested: '190816439781',
  toFix: '361462655942',
  both: '257698251120',
  another: '370409564347',
  coolDown: '117116528772',
} as const;

const ALICE = 'arn:aws:sts::190816439781:assumed-role/SecurityAdmin/alice';

const EXEMPT = `version: 1
defaults: { computeOptimizer: Active, automation: Active }
exemptions:
  - accounts: ["112352966843", "146812679013"]
    enrollment: automation
    until: 2027-01-31
    reason: migration freeze
    owner: finops@example.com
`;

const DECEMBER = Date.UTC(2026, 11, 1);
const DAY = 86_400_000;
const MINUTE = 60_000;

/** @param time `HH:MM` */
function at(day: number, time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return DECEMBER + (day - 1) * DAY + (hours * 60 + minutes) * MINUTE;
}

type Kind = 'computeOptimizer' | 'automation';

/**
 * The bed on 8 December, 09:30: 9 drifts in 6 accounts, of which 3 are to fix, 3 wait and 3 need attention. /Canary is suspended, and 2 accounts are
 * exempt from Automation. Nothing of the week before is in the transcript.
 */
export async function dayC(columns: number): Promise<Bed> {
  const on = await bed(columns);
  const { sandbox } = on.running;
  const drift = (accountId: string, enrollment: Kind, status: 'Active' | 'Inactive', actor?: string): void => {
    sandbox.drift({ changes: [{ accountId, enrollment, status }], ...(actor !== undefined && { actor }) });
  };
  const run = async (command: string): Promise<void> => {
    const { code, screen } = await on.run(command);
    if (code === 1) throw new Error(`${command}: ${screen}`);
  };
  await run('plan --out first.json');
  await run('apply --plan first.json --yes');
  on.write('rollcall.yaml', EXEMPT);
  // More than a day before Rollcall enables it again, because of the cool-down.
  on.clock.advanceTo(at(5, '04:00'));
  drift(NAMED.denied, 'automation', 'Inactive');
  on.clock.advanceTo(at(6, '05:26'));
  // The call that enables Automation in one account. Compute Optimizer has another one, so it stays as it is. A denied change is retried and never
  // becomes a dead letter (docs/decisions/0007-pauses.md).
  const fault = { operation: 'UpdateEnrollmentConfiguration', accountId: NAMED.denied, kind: 'denied' } as const;
  sandbox.setFaults([fault]);
  await run('apply --yes --wait 1s');
  // Reverted and fixed twice. The saved plans keep the other accounts as they are. The cool-down of Automation lasts longer than both reversions, so
  // only Compute Optimizer is reverted three times.
  on.clock.advanceTo(at(7, '06:30'));
  drift(NAMED.contested, 'automation', 'Inactive', ALICE);
  on.clock.advanceTo(at(7, '12:00'));
  drift(NAMED.contested, 'computeOptimizer', 'Inactive', ALICE);
  // A plan can be applied once, so there is one for each time.
  for (const n of [1, 2, 3, 4]) await run(`plan --out fix-${n}.json`);
  await run('apply --plan fix-1.json --yes --wait 1s');
  on.clock.advanceTo(at(7, '18:00'));
  drift(NAMED.contested, 'computeOptimizer', 'Inactive', ALICE);
  await run('apply --plan fix-2.json --yes --wait 1s');
  // Compute Optimizer is enabled later than Automation was disabled, so the timestamp does not suggest a cool-down.
  on.clock.advanceTo(at(8, '00:20'));
  drift(NAMED.toFix, 'automation', 'Inactive');
  drift(NAMED.toFix, 'computeOptimizer', 'Inactive');
  on.clock.advanceTo(at(8, '00:21'));
  drift(NAMED.toFix, 'computeOptimizer', 'Active');
  on.clock.advanceTo(at(8, '00:26'));
  await run('scan');
  on.clock.advanceTo(at(8, '06:12') + MINUTE / 2);
  drift(NAMED.coolDown, 'automation', 'Inactive');
  on.clock.advanceTo(at(8, '06:26'));
  await run('scan');
  on.clock.advanceTo(at(8, '06:40'));
  await run('apply --plan fix-3.json --yes --wait 1s');
  on.clock.advanceTo(at(8, '07:02'));
  drift(NAMED.contested, 'computeOptimizer', 'Inactive', ALICE);
  on.clock.advanceTo(at(8, '07:26'));
  await run('scan');
  // Tried again, and denied again.
  on.clock.advanceTo(at(8, '09:10'));
  await run('apply --plan fix-4.json --yes --wait 1s');
  await run('suspend ou:/Canary --until 2026-12-11');
  on.clock.advanceTo(at(8, '09:20'));
  for (const account of [NAMED.both, NAMED.another]) {
    drift(account, 'automation', 'Inactive');
    drift(account, 'computeOptimizer', 'Inactive');
  }
  on.clock.advanceTo(at(8, '09:26'));
  await run('scan');
  // Some seconds later, because a scan takes seconds and ages are rounded down.
  on.clock.advanceTo(at(8, '09:30') + MINUTE / 4);
  return on;
}
