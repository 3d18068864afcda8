import type { EXIT } from '../exit-codes.ts';

type Code = (typeof EXIT)[keyof typeof EXIT];
/** When a command ends with a code. */
type Codes = Readonly<Partial<Record<Code, string>>>;

const SHOWN: Codes = { 0: 'shown', 1: 'error' };
const CTRL_C = 'stopped by Ctrl-C';
const UNKNOWN = 'no drift found, but the status of some accounts is unknown';

/** The exit codes of every command, by the words of the command. Ctrl-C ends most commands with 130, which is listed where users stop them that way. */
const EXIT_CODES_OF: Readonly<Record<string, Codes>> = {
  demo: {
    0: 'every change is confirmed',
    1: 'error',
    3: 'some accounts are still to be fixed, need attention or wait',
    4: 'stopped by the kill switch',
    130: CTRL_C,
  },
  doctor: { 0: 'no check failed', 1: 'at least one check failed' },
  install: { 0: 'installed, or up to date', 1: 'error, or not confirmed', 3: 'installed, but a check failed' },
  'policy init': { 0: 'written', 1: 'error', 3: 'written, but some accounts could not be read in full' },
  'policy validate': { 0: 'valid, possibly with warnings', 1: 'errors found' },
  'policy explain': SHOWN,
  'policy test': { 0: 'every expectation is met', 1: 'at least one is not, or a file has errors' },
  'policy schema': SHOWN,
  scan: { 0: 'no drift', 1: 'error', 2: 'drift found', 3: UNKNOWN },
  status: {
    0: 'no drift',
    1: 'error',
    2: 'open drift',
    3: 'no drift found, but there are dead letters, the status of some accounts is unknown, or no scan has finished',
    130: `--watch was ${CTRL_C}`,
  },
  accounts: SHOWN,
  account: SHOWN,
  plan: {
    0: 'nothing to change',
    1: 'error',
    2: 'drift found, even if a guardrail would stop apply, or all drift waits or needs attention',
    3: UNKNOWN,
  },
  apply: {
    0: 'every change is confirmed, or waits for AWS to confirm it',
    1: 'error, or you did not confirm',
    3: 'some accounts are still to be fixed, need attention or wait',
    4: 'stopped by a guardrail or the kill switch',
    130: 'interrupted; every result is recorded',
  },
  serve: { 0: 'stopped by SIGTERM', 1: 'error', 130: CTRL_C },
  approve: { 0: 'approved', 1: 'error, or no such plan' },
  'dlq list': SHOWN,
  'dlq show': SHOWN,
  'dlq redrive': { 0: 'all are on the queue again', 1: 'error', 3: 'some are still dead letters' },
  halt: { 0: 'halted', 1: 'error' },
  suspend: { 0: 'suspended', 1: 'error, or no account matches' },
  resume: { 0: 'resumed', 1: 'error, you did not confirm, or nothing was halted or suspended' },
  unhalt: { 0: 'changes are allowed', 1: 'error' },
  'audit list': { ...SHOWN, 130: `--follow was ${CTRL_C}` },
  'audit show': { 0: 'the entry is intact', 1: 'it is damaged, or there is no such entry' },
  'audit as-of': SHOWN,
  'audit export': { 0: 'exported', 1: 'error' },
  'audit verify': {
    0: 'intact',
    1: 'damaged, differs from the checkpoint or the digest, or it could not be checked',
  },
  'audit report': SHOWN,
  'audit proof': {
    0: 'printed, or verified',
    1: 'no such entry, no checkpoint covers it yet, or the proof is wrong',
  },
  'audit checkpoint': {
    0: 'printed, or key created',
    1: 'there is no checkpoint, or the key cannot be used or created',
  },
  evidence: { 0: 'packed', 1: 'error' },
  backup: { 0: 'copied', 1: 'error' },
  restore: { 0: 'restored, or acknowledged; changes are halted', 1: 'error, or you did not confirm' },
  sandbox: { 0: 'stopped by Ctrl-C or SIGTERM', 1: 'error' },
  completion: SHOWN,
  version: SHOWN,
  help: SHOWN,
};

/** The exit codes of a command in its help: `0 no drift · 1 error`; `null`: it is a group of commands. */
export function exitCodesOf(path: string): string | null {
  const codes = EXIT_CODES_OF[path];
  if (codes === undefined) return null;
  return Object.entries(codes)
    .map(([code, meaning]) => `${code} ${meaning}`)
    .join(' · ');
}
