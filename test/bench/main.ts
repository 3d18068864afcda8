import { auditQueries } from './audit.ts';
import { associations, organizationWide } from './batches.ts';
import { coldStart } from './cold-start.ts';
import { configurations } from './configurations.ts';
import { dashboard } from './dashboard.ts';
import { defaultLimits } from './default-limits.ts';
import { diffAlone } from './diff.ts';
import { evidence } from './evidence.ts';
import { fairness } from './fairness.ts';
import type { Figure } from './figure.ts';
import { groupCommit } from './group-commit.ts';
import { heavyReads } from './heavy-reads.ts';
import { loadAws } from './load-aws.ts';
import { transparencyLog } from './log.ts';
import { reaction } from './react.ts';
import { repeated } from './repeated.ts';
import { scanCached, scanStress, scanTags, scanUncached } from './scan.ts';
import { sharedLimiter } from './shared-limiter.ts';
import { sideBySide } from './side-by-side.ts';
import { demo, startUp } from './start-up.ts';
import { stress } from './stress.ts';
import { throttled } from './throttled.ts';
import { unlimited } from './unlimited.ts';
import { weekOfScans } from './week.ts';

/*
 * `npm run bench [-- NAME…]`: prints one JSON line per figure; without a name, of every bench. Every figure is a ratio to a bound or to another way of doing the
 * same work measured in the same run; docs/explanation/performance.md says what limits each.
 */

const BENCHES: Readonly<Record<string, () => Promise<readonly Figure[]>>> = {
  diff: diffAlone,
  'start-up': startUp,
  demo: repeated(demo),
  'group-commit': groupCommit,
  unlimited,
  throttled: repeated(throttled),
  'side-by-side': sideBySide,
  'default-limits': defaultLimits,
  'shared-limiter': repeated(sharedLimiter),
  'organization-wide': repeated(organizationWide),
  associations: repeated(associations),
  configurations: repeated(configurations),
  'scan-cached': scanCached,
  'scan-uncached': scanUncached,
  'scan-tags': scanTags,
  'scan-stress': scanStress,
  stress,
  'load-aws': loadAws,
  week: weekOfScans,
  reaction: repeated(reaction),
  fairness,
  'cold-start': coldStart,
  audit: auditQueries,
  log: transparencyLog,
  evidence,
  'heavy-reads': heavyReads,
  dashboard,
};

async function main(names: readonly string[]): Promise<void> {
  const unknown = names.filter((name) => !Object.hasOwn(BENCHES, name));
  if (unknown.length > 0) {
    throw new Error(`there is no bench ${unknown.join(', ')}; there are ${Object.keys(BENCHES).join(', ')}`);
  }
  for (const [name, bench] of Object.entries(BENCHES)) {
    if (names.length > 0 && !names.includes(name)) continue;
    for (const figure of await bench()) process.stdout.write(`${JSON.stringify(figure)}\n`);
  }
}

await main(process.argv.slice(2));
