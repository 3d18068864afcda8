/** Warns about cron expressions that other programs read differently. */

import { differsFromVixie } from '../../cron.ts';
import { type Finding, findingAt, shown } from '../file/findings.ts';
import type { Policy } from '../types.ts';

export function cronFindings({ schedule, windows, source }: Policy): Finding[] {
  const used = (windows ?? []).map(({ cron }, index) => ({ path: `windows[${index}].cron`, cron }));
  if ('cron' in schedule) used.push({ path: 'schedule.cron', cron: schedule.cron });
  return used
    .filter(({ cron }) => differsFromVixie(cron))
    .map(({ path, cron }) =>
      findingAt(source, path, {
        severity: 'warning',
        message:
          'day of month and day of week: Rollcall runs on days that match either field, but Vixie cron treats the field with the step as a star and requires both to match',
        found: shown(cron),
        expected: '* in one of the two fields, or no field that begins with *',
        hint: 'List the intended days (1,3,5 instead of */2), or write + before the day of week if both must match.',
      }),
    );
}
