import type { HelpTexts } from '../help-text.ts';

export const FIX: HelpTexts = {
  plan: {
    summary: 'Show what would change; change nothing',
    description: 'Show what would change to meet the policy. Reads AWS, changes nothing.',
    examples: [
      ['rollcall plan', 'use rollcall.yaml in this folder'],
      ['rollcall plan --all', 'list every account instead of OU totals'],
      ['rollcall plan --out plan.json', 'save the plan for apply --plan plan.json'],
      ['rollcall plan -o csv > changes.csv', 'open the changes in a spreadsheet'],
      ['rollcall plan -q || [ $? -eq 2 ]', 'in CI: fail on errors, not on drift'],
    ],
    formats: ['wide', 'csv'],
    seeAlso: ['rollcall apply', 'rollcall accounts', 'rollcall policy explain'],
  },
  apply: {
    summary: 'Scan, show the plan, ask, and remediate',
    description:
      'Scan the organization, show the plan, ask, and make its changes. Ends when nothing is due within --wait. Reads each account again immediately before changing it.',
    examples: [
      ['rollcall apply', 'plan, ask, change'],
      ['rollcall apply --plan plan.json', 'make only the changes of a saved plan'],
      ['rollcall apply --yes', 'do not ask; for jobs without a terminal'],
      ['rollcall apply --wait 10m', 'wait up to 10 minutes for changes that become due'],
    ],
    seeAlso: ['rollcall plan', 'rollcall approve', 'rollcall halt'],
  },
  serve: {
    summary: 'Scan and remediate on a schedule, with dashboard and API',
    description:
      "Scan on the policy's schedule and remediate continuously, with API and dashboard, until Ctrl-C or SIGTERM. Reloads the policy when its file changes.",
    examples: [
      ['rollcall serve', 'dashboard on http://127.0.0.1:4800'],
      ['rollcall serve --port 0', 'take a free port'],
      ['rollcall serve --host 0.0.0.0', 'needs ROLLCALL_TOKEN_READ or _OPERATE'],
    ],
    seeAlso: ['rollcall status', 'rollcall help environment'],
  },
  approve: {
    summary: 'Approve one stored plan, for one run',
    description:
      'Approve one stored plan for one run within 24 hours: a plan that maxChanges or a canary stopped, or that changes organization enrollment configurations set by somebody else. The next run makes its changes.',
    examples: [
      ['rollcall approve f5685be84f9c', 'the plan that apply named'],
      ['rollcall approve f5685be84f9c --reason CHG-1042', 'with a reason for the audit log'],
    ],
    seeAlso: ['rollcall apply', 'rollcall plan --out'],
  },
  dlq: {
    summary: 'List and retry work that was given up (dead letters)',
    examples: [
      ['rollcall dlq list', 'accounts, attempts and the last error'],
      ['rollcall dlq redrive --all', 'retry everything after the cause is fixed'],
    ],
    seeAlso: ['rollcall status', 'rollcall account'],
  },
  'dlq list': {
    summary: 'List dead letters, newest first',
    examples: [
      ['rollcall dlq list', 'the newest 50'],
      ['rollcall dlq list --limit 1000', 'more'],
    ],
    seeAlso: ['rollcall dlq redrive'],
  },
  'dlq show': {
    summary: 'Show one dead letter in full',
    examples: [['rollcall dlq show 8PQ7QK2C', 'an id that dlq list printed']],
    seeAlso: ['rollcall dlq list'],
  },
  'dlq redrive': {
    summary: 'Put dead letters back on the queue',
    description: 'Put dead letters back on the queue, after their cause is fixed. apply or serve then retries them.',
    examples: [
      ['rollcall dlq redrive 8PQ7QK2C', 'one dead letter'],
      ['rollcall dlq redrive --all', 'all of them'],
    ],
    seeAlso: ['rollcall dlq list', 'rollcall apply'],
  },
};
