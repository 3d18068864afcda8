import { type CompiledPolicy, compilePolicy, formatFinding, parsePolicy } from '../domain/policy/index.ts';
import type { PolicySource } from '../ports/policy-source.ts';
import type { Clock, Logger } from '../ports/system.ts';

/** The policy is invalid, so no work is done. */
class PolicyInvalidError extends Error {
  override readonly name = 'PolicyInvalidError';
}

/** Values for the variables in the policy's webhook; `null`: this process does not send to the webhook and has no values. */
export type PolicyEnv = Readonly<Record<string, string | undefined>> | null;

/** How long a policy is used before checking for a new version, ms. */
const MAX_AGE_MS = 30_000;

/** Caches the current policy. Compiles it only when it has changed. */
export class PolicyKeeper {
  readonly #source: PolicySource;
  readonly #clock: Clock;
  readonly #env: PolicyEnv;
  readonly #logger: Logger;
  #known: { readonly version: string; readonly policy: CompiledPolicy } | null = null;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #looking: Promise<CompiledPolicy> | null = null;

  constructor(source: PolicySource, clock: Clock, env: PolicyEnv, logger: Logger) {
    this.#source = source;
    this.#clock = clock;
    this.#env = env;
    this.#logger = logger;
  }

  /** @param fresh checks for a new version even if the last check was recent @throws PolicyUnreadableError, PolicyInvalidError */
  async policy(fresh = false): Promise<CompiledPolicy> {
    if (!fresh && this.#known !== null && this.#clock.now() - this.#lookedAt < MAX_AGE_MS) return this.#known.policy;
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  async #look(): Promise<CompiledPolicy> {
    const now = this.#clock.now();
    const text = await this.#source.read(this.#known?.version ?? null);
    if (text === null && this.#known !== null) {
      this.#lookedAt = now;
      return this.#known.policy;
    }
    if (text === null) throw new Error('the policy source answered "unchanged" before any policy was read');
    const parsed = parsePolicy(text.bytes, { file: text.name, now, env: this.#env });
    if (!parsed.ok) {
      const findings = parsed.findings.map((finding) => formatFinding(finding));
      throw new PolicyInvalidError(`the policy ${text.name} is not valid: ${findings.join(' ')}`);
    }
    const policy = compilePolicy(parsed.policy);
    const warnings = parsed.warnings.map((warning) => formatFinding(warning));
    this.#logger.info('policy loaded', { policy: text.name, version: text.version, policyHash: policy.hash, warnings });
    this.#known = { version: text.version, policy };
    this.#lookedAt = now;
    return policy;
  }
}
