import { join } from 'node:path';
import { quoted } from '../../../shared/domain/check-result.ts';
import { sandboxExports } from '../ui/sandbox-exports.ts';
import { duration } from '../ui/words.ts';
import { BURST } from './cast.ts';
import { KEY_NAME, POLICY_NAME } from './policy.ts';
import { shown } from './stage.ts';
import type { Story } from './story.ts';
import { FIRST_MS } from './story.ts';

export interface TourParts {
  readonly cast: Story['cast'];
  /** The dashboard's URL. */
  readonly url: string;
  /** The URL of the simulated organization. */
  readonly endpoint: string;
  readonly accounts: number;
  /** The demo's directory, with the store and the policy. */
  readonly dataDir: string;
  /** How a user runs Rollcall. */
  readonly program: string;
}

interface Stop {
  readonly title: string;
  readonly text: string;
  /** URLs and commands, in this order. */
  readonly see: readonly string[];
}

/** What to look at while the demo runs, in order. */
export function tourLines(parts: TourParts): string[] {
  const stops = stopsOf(parts);
  return [
    'Tour: about 10 minutes; the times count from now. For the commands, open a second terminal in this directory, and type first:',
    `  export ROLLCALL_DATA_DIR=${quoted(parts.dataDir)} ROLLCALL_POLICY=${quoted(join(parts.dataDir, POLICY_NAME))}`,
    `  export ROLLCALL_CHECKPOINT_KEY=${quoted(join(parts.dataDir, KEY_NAME))}`,
    ...sandboxExports(parts.endpoint).map((line) => `  ${line}`),
    ...stops.flatMap(({ title, text, see }, at) => [
      '',
      `${at + 1}. ${title}`,
      `   ${text}`,
      ...see.map((each) => `     ${each}`),
    ]),
    '',
    'Ctrl-C ends the demo.',
  ];
}

function stopsOf({ cast, url, accounts, program }: TourParts): readonly Stop[] {
  const command = (words: string): string => `${program} ${words}`;
  const page = (path: string): string => `${url.replace(/\/$/, '')}${path}`;
  const [contested] = cast.contested;
  const [waiting] = cast.coolDown;
  if (contested === undefined || waiting === undefined) throw new Error('the story has no accounts');
  return [
    {
      title: 'Everything complies',
      text: `The run above made an organization of ${accounts} accounts comply. The page of the run lists each change.`,
      see: [page('/'), page('/runs'), command('status')],
    },
    {
      title: `Drift that is fixed within seconds (from ${after('everyday')})`,
      text: 'Every 20 seconds somebody opts an account out. The audit log says who did it, and what Rollcall did.',
      see: [page('/audit'), command('audit list --limit 20')],
    },
    {
      title: `An account that waits (from ${after('coolDown')})`,
      text: `${shown(waiting)} was opted out of Automation. AWS refuses the opt-in for 24 hours; Rollcall makes it then.`,
      see: [page(`/account?id=${waiting.accountId}`), command(`account ${waiting.accountId}`)],
    },
    {
      title: `An account that needs you (from ${after('contest', 2 * 40_000)})`,
      text: `nightly-apply reverted ${shown(contested)} three times, so Rollcall stopped. Settle it on its page, or with the command:`,
      see: [page(`/account?id=${contested.accountId}`), command(`resume ${contested.accountId}`)],
    },
    {
      title: `A plan that needs approval (from ${after('incident', HELD_MS)})`,
      text: `A script opts ${BURST} accounts out during a change freeze. Overview and status name the plan. Approve it; sam.okafor does after 10 minutes.`,
      see: [page('/'), command('status'), command('approve HASH')],
    },
    {
      title: 'Stop everything, and go on',
      text: 'During a halt, Rollcall changes nothing, but still records and shows new drift. After resume, the demo fixes it.',
      see: [command('halt --reason "trying it"'), page('/'), command('resume --yes')],
    },
    {
      title: 'Prove what happened',
      text: 'The scan signs a checkpoint that is newer than the period. Unpack verify.html from the ZIP file and open it, paste the key that the last command prints, and choose the ZIP file. The verdict is "Verified".',
      see: [
        command('audit verify'),
        'END=$(date -u +%FT%TZ)',
        command('scan'),
        command('evidence --since 1d --until $END --out evidence.zip'),
        command('audit checkpoint --key'),
      ],
    },
  ];
}

/** Until a plan is held up: the policy comes into force, the accounts are opted out, and a scan makes the plan. ms */
const HELD_MS = 30_000;

/** When a part of the story has begun, after the demo is ready. */
const after = (part: keyof typeof FIRST_MS, moreMs = 0): string => `${duration(FIRST_MS[part] + moreMs)} on`;
