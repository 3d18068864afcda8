/** Exit codes of all commands; the README lists them. */
export const EXIT = {
  /** Clean, converged, or only Converging left. */
  ok: 0,
  /** Usage, policy, credentials, AWS out of reach. */
  error: 1,
  /** `plan` and `status`: something is not as the policy wants it. */
  drift: 2,
  /** Some accounts need attention (dead letters included), wait, or have an unknown status. */
  partly: 3,
  /** A guardrail or the kill switch. */
  stopped: 4,
  /** Ctrl-C: 128 + SIGINT. */
  interrupted: 130,
  /** 128 + SIGTERM. */
  terminated: 143,
} as const;
