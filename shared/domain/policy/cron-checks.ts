/** Cron expressions that other programs read differently. */

import { differsFromVixie } from '../cron.ts';
import { type Finding, findingAt, shown } from './findings.ts';
import type { Policy } from './types.ts';

export function cronFindings({ schedule, windows, source }: Policy): Finding[] {
  const used = (windows ?? []).map(({ cron }, index) => ({ path: `windows[${index}].cron`, cron }));
  if ('cron' in schedule) used.push({ path: 'schedule.cron', cron: schedule.cron });
  return used
    .filter(({ cron }) => differsFromVixie(cron))
    .map(({ path, cron }) =>
      findingAt(source, path, {
        severity: 'warning',
        message:
          'day of month and day of week: a day fits here if either does, but Vixie cron takes the field with the step for a star and requires both',
        found: shown(cron),
        expected: '* in one of the two fields, or neither of them beginning with *',
        hint: 'List the days that are meant (1,3,5 instead of */2), or write + before the day of week if both must fit.',
      }),
    );
}
