import type { HelpTexts } from '../help-text.ts';

export const OBSERVE: HelpTexts = {
  scan: {
    summary: 'Read every account and record drift; change nothing in AWS',
    examples: [
      ['rollcall scan', 'read the organization and record what it finds'],
      ['rollcall scan -q || [ $? -eq 2 ]', 'in a job: fail on errors, not on drift'],
    ],
    seeAlso: ['rollcall status', 'rollcall plan'],
  },
  status: {
    summary: 'Show compliance, open drift, and what needs attention',
    description: 'Show compliance, open drift, what needs attention and what waits, from the store. Does not call AWS.',
    examples: [
      ['rollcall status', 'the organization as of the last scan'],
      ['rollcall status --watch', 'repaint every 2 seconds; q ends it'],
      ['rollcall status -o json', 'the same for scripts'],
    ],
    seeAlso: ['rollcall accounts', 'rollcall account', 'rollcall help statuses'],
  },
  accounts: {
    summary: 'List accounts with their status',
    description: 'List accounts with their status for each enrollment, worst first. Does not call AWS.',
    formats: ['wide', 'csv', 'name'],
    examples: [
      ['rollcall accounts', 'every account, worst first'],
      ['rollcall accounts --status drifted,waiting', 'accounts with one of these statuses'],
      ['rollcall accounts --ou /Workloads -o wide', 'one row for each enrollment'],
      ['rollcall accounts -o csv > accounts.csv', 'open them in a spreadsheet'],
    ],
    seeAlso: ['rollcall account', 'rollcall help statuses'],
  },
  account: {
    summary: 'Show one account: status, reasons, history',
    description: 'Show one account: its status, the reasons, what to do, and its history. Does not call AWS.',
    examples: [
      ['rollcall account 123456789012', 'status and latest entries'],
      ['rollcall account 123456789012 --limit 100', 'more of its history'],
    ],
    seeAlso: ['rollcall policy explain', 'rollcall audit list --account', 'rollcall help statuses'],
  },
};
