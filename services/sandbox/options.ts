import * as z from 'zod';
import { FAULT_KINDS } from './engine/faults.ts';
import { USUAL_OUS } from './engine/generate.ts';
import { type EngineOptions, engineDefaults } from './engine/options.ts';
import { COVERED_CODES, SERVICE_NAMES } from './engine/types.ts';
import { isScenarioName, SCENARIOS } from './scenarios.ts';

const ERROR_FAULTS: ReadonlySet<string> = new Set(['throttle', 'unavailable', 'internal', 'denied']);
const accountId = z.string().regex(/^\d{12}$/, 'must be a 12-digit account id');

const faultSchema = z
  .strictObject({
    service: z.enum(SERVICE_NAMES).optional(),
    operation: z.string().min(1).optional(),
    accountId: accountId.optional(),
    kind: z.enum(FAULT_KINDS),
    probability: z.number().min(0).max(1).optional(),
    from: z.int().min(1).optional(),
    count: z.int().min(1).optional(),
    delayMs: z.number().min(0).max(600_000).optional(),
    code: z.string().min(1).optional(),
  })
  .refine(({ kind, code }) => code === undefined || ERROR_FAULTS.has(kind), {
    path: ['code'],
    message: 'is only allowed with the kinds throttle, unavailable, internal and denied',
  })
  .refine(({ kind, delayMs }) => delayMs === undefined || kind === 'slow', {
    path: ['delayMs'],
    message: 'is only allowed with the kind slow',
  });

/** The list of faults, as in a `--faults` file. */
export const faultsSchema = z.array(faultSchema).max(1000);

const fraction = z.number().min(0).max(1);

/** The options of `startSandbox` except the clock and the random source. */
export const sandboxOptionsSchema = z.strictObject({
  /** 0 picks a free port. */
  port: z.int().min(0).max(65_535).optional(),
  host: z.string().min(1).optional(),
  scenario: z
    .string()
    .refine(isScenarioName, { error: `must be one of ${Object.keys(SCENARIOS).join(', ')}` })
    .optional(),
  accounts: z.int().min(2).max(1_000_000).optional(),
  /** OUs, not counting the root. */
  ous: z.int().min(USUAL_OUS).max(2_000).optional(),
  seed: z.int().optional(),
  drift: fraction.optional(),
  latencyMs: z.number().min(0).max(600_000).optional(),
  /** Calls per second for each calling account and operation; 0 switches throttling off. */
  rate: z.number().min(0).optional(),
  /** Changes per second in the whole organization; 0 switches this throttling off. */
  orgRate: z.number().min(0).optional(),
  pendingMs: z.number().min(0).optional(),
  /** How long a change of a configuration of an OU or the root takes; default 5 s to 5 min, determined by the seed. */
  configurationDelayMs: z.number().min(0).optional(),
  /** How long the Tagging API still shows an account's former tags after a change; default 0. */
  tagIndexDelayMs: z.number().min(0).default(0),
  coveredCode: z.enum(COVERED_CODES).optional(),
  faults: faultsSchema.optional(),
  partition: z.enum(['aws', 'aws-cn', 'aws-us-gov']).optional(),
  memberRole: z
    .string()
    .regex(/^[\w+=,.@-]{1,64}$/)
    .optional(),
  externalId: z.string().min(2).optional(),
  accountShape: z.enum(['current', 'older']).optional(),
  brokenRoles: fraction.optional(),
  coolingDown: fraction.optional(),
});
export type SandboxOptions = z.input<typeof sandboxOptionsSchema>;

/** The scenario's options, overridden by the given ones. Throws ZodError for invalid options. */
export function resolveOptions(options: SandboxOptions): EngineOptions {
  const { scenario, port: _port, host: _host, ...given } = sandboxOptionsSchema.parse(options);
  const profile: Partial<EngineOptions> = scenario === undefined ? {} : SCENARIOS[scenario];
  const named = { ...engineDefaults, ...profile };
  return {
    accounts: given.accounts ?? named.accounts,
    ous: given.ous ?? named.ous,
    seed: given.seed ?? named.seed,
    partition: given.partition ?? named.partition,
    drift: given.drift ?? named.drift,
    brokenRoles: given.brokenRoles ?? named.brokenRoles,
    coolingDown: given.coolingDown ?? named.coolingDown,
    memberRole: given.memberRole ?? named.memberRole,
    externalId: given.externalId ?? named.externalId,
    accountShape: given.accountShape ?? named.accountShape,
    latencyMs: given.latencyMs ?? named.latencyMs,
    rate: (given.rate ?? named.rate) || undefined,
    orgRate: (given.orgRate ?? named.orgRate) || undefined,
    pendingMs: given.pendingMs ?? named.pendingMs,
    configurationDelayMs: given.configurationDelayMs ?? named.configurationDelayMs,
    tagIndexDelayMs: given.tagIndexDelayMs,
    coveredCode: given.coveredCode ?? named.coveredCode,
    configurations: named.configurations,
    faults: given.faults ?? named.faults,
  };
}

/** The message of a schema error on one line; `null` for any other error. */
export function refusalText(error: unknown): string | null {
  return error instanceof z.ZodError ? z.prettifyError(error).replace(/\s*\n\s*/g, ' ') : null;
}
