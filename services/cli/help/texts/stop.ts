import type { Example, HelpTexts } from '../help-text.ts';

const SELECTORS: readonly Example[] = [
  ['rollcall suspend 123456789012', 'one account'],
  ['rollcall suspend ou:/Canary --until 2026-12-11', 'an OU and everything below it'],
  ['rollcall suspend tag:env=prod --reason freeze', 'accounts with a tag'],
  ["rollcall suspend 'name:dev-*' --until 2h", 'accounts by name, for two hours'],
];

export const STOP: HelpTexts = {
  halt: {
    summary: 'Stop all changes immediately (kill switch)',
    description:
      'Stop all changes immediately, in every process (kill switch). Calls already sent finish; scans and alerts continue. Never asks.',
    examples: [
      ['rollcall halt', 'stop now'],
      ['rollcall halt --reason "checking invoice"', 'with a reason for the audit log'],
    ],
    seeAlso: ['rollcall resume', 'rollcall suspend'],
  },
  suspend: {
    summary: 'Stop changes to some accounts',
    description: 'Stop all changes to some accounts, whatever the policy says. Scans and alerts continue.',
    examples: SELECTORS,
    seeAlso: ['rollcall resume', 'rollcall halt'],
  },
  resume: {
    summary: 'End the halt or a suspension; settle contested accounts',
    description:
      'End the halt; or, with a selector, end a suspension and settle contested accounts, so that their drift is remediated again.',
    examples: [
      ['rollcall resume', 'end the halt, after you confirm'],
      ['rollcall resume ou:/Canary', 'the selector that was suspended'],
      ['rollcall resume 123456789012', 'enforce the policy again'],
    ],
    seeAlso: ['rollcall suspend', 'rollcall halt', 'rollcall apply'],
  },
  unhalt: {
    summary: 'End the halt without asking',
    examples: [['rollcall unhalt', 'allow changes again']],
    seeAlso: ['rollcall resume', 'rollcall halt'],
  },
};
