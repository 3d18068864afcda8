/** Exit codes of all commands; the README lists them. */
export const EXIT = {
  /** Nothing to change, or the only open changes await confirmation. */
  ok: 0,
  /** Usage, policy or credentials are wrong, or AWS is unreachable. */
  error: 1,
  /** `plan` and `status`: drift was found. */
  drift: 2,
  /** Some accounts are still to be fixed, need attention, wait, or have an unknown status, or there are dead letters. */
  partly: 3,
  /** A guardrail or the kill switch stopped the run. */
  stopped: 4,
  /** Ctrl-C: 128 + SIGINT. */
  interrupted: 130,
  /** 128 + SIGTERM. */
  terminated: 143,
} as const;

/** What an exit code means, in the last line of a log. */
export const EXIT_WORDS: Readonly<Record<number, string>> = {
  [EXIT.error]: 'error',
  [EXIT.drift]: 'drift found',
  [EXIT.partly]: 'partly done',
  [EXIT.stopped]: 'stopped',
  [EXIT.interrupted]: 'interrupted',
  [EXIT.terminated]: 'terminated',
};
