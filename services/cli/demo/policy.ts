import { readFileSync } from 'node:fs';
import { writeTextFile } from '../../../shared/config/text-file.ts';

/** The cap that holds up the plan in the demo's story: as many accounts as have been changed in the last 24 hours. */
export interface Cap {
  readonly accounts: number;
}

/** The name of the policy's file. */
export const POLICY_NAME = 'rollcall.yaml';
/** The file with the key that signs the demo's checkpoints. A real key must not be in the directory of the store. */
export const KEY_NAME = 'checkpoint-key.pem';

const NO_CAP = `  maxChanges: { percent: 100, atLeast: 10 }   # adoption in one run; the default is 20% of the accounts`;

/** The text of the demo's policy. @param cap `null`: all accounts may be changed */
function demoPolicy(cap: Cap | null): string {
  const maxChanges =
    cap === null
      ? NO_CAP
      : `  # Change freeze: no accounts beside the ${cap.accounts} that were changed in the last 24 hours
  maxChanges: { percent: 0, atLeast: ${cap.accounts} }`;
  return `# The policy of the demo.
version: 1
defaults:
  computeOptimizer: Active
rules:
  - id: workloads-and-platform
    match: { ou: [/Workloads, /Platform] }
    automation: Active
    organizationRules: AnyAllowed
guardrails:
${maxChanges}
limits:
  callsPerSecond: 100
  concurrency: 16
schedule: 30m
retention: 1d   # the demo can run for days without filling the disk
`;
}

/** The demo's policy file. A user may edit it, and then it stays as the user wants it. */
export class PolicyFile {
  readonly path: string;
  #written: string;

  constructor(path: string) {
    this.path = path;
    this.#written = demoPolicy(null);
    writeTextFile(path, this.#written, 'draft', 'refuse');
  }

  /** Replaces the policy. @returns false if a user has edited it */
  replace(cap: Cap | null): boolean {
    if (readFileSync(this.path, 'utf8') !== this.#written) return false;
    this.#written = demoPolicy(cap);
    writeTextFile(this.path, this.#written, 'draft', 'replace');
    return true;
  }
}
