import * as z from 'zod';
import { parseSandboxDuration } from '../duration.ts';
import { ControlError, type DriftRequest } from '../engine/drift.ts';
import type { Sandbox } from '../engine/sandbox.ts';
import { isRecord } from '../engine/smithy.ts';
import { faultsSchema } from '../options.ts';

/** The sandbox's clock, which can be advanced. */
export type MovableClock = { now(): number; advance(ms: number): void; reset(): void };

export type ControlAnswer = { status: number; body: unknown };

const accountId = z.string().regex(/^\d{12}$/, 'must be a 12-digit account id');
const status = z.enum(['Active', 'Inactive', 'Pending', 'Failed']);
const state = z.enum(['ACTIVE', 'SUSPENDED', 'PENDING_CLOSURE']);

/** Keeps the time within the range of Date, even after several advances. */
const MAX_ADVANCE_MS = 10 * 366 * 86_400_000;
const clockSchema = z.strictObject({
  advance: z.string().transform((text, context) => {
    const ms = parseSandboxDuration(text);
    if (ms !== null && ms <= MAX_ADVANCE_MS) return ms;
    const most = ms === null ? '' : ', of 10 years at most';
    context.addIssue({ code: 'custom', message: `must be a duration such as 90s, 24h or 1h30m${most}` });
    return z.NEVER;
  }),
});
const driftCountSchema = z.strictObject({ accounts: z.int().min(0), seed: z.int().optional() });
const driftChangesSchema = z.strictObject({
  changes: z.array(
    z.strictObject({
      accountId,
      enrollment: z.enum(['computeOptimizer', 'automation', 'costOptimizationHub']),
      status,
    }),
  ),
  actor: z.string().min(1).optional(),
});
/** Not a zod union, because its error would only say that neither form matches. */
const parseDrift = (body: unknown): DriftRequest =>
  isRecord(body) && 'changes' in body ? driftChangesSchema.parse(body) : driftCountSchema.parse(body);
const patch = {
  name: z.string().min(1).max(128).optional(),
  ou: z.string().startsWith('/').optional(),
  tags: z.record(z.string().min(1).max(128), z.string().max(256)).optional(),
  state: state.optional(),
  roleAssumable: z.boolean().optional(),
  enrollmentFailure: z.string().min(1).nullable().optional(),
};
const accountsSchema = z.strictObject({
  add: z.array(z.strictObject({ ...patch, accountId: accountId.optional() })).optional(),
  update: z.array(z.strictObject({ ...patch, accountId })).optional(),
  remove: z.array(accountId).optional(),
});
const faultsRequestSchema = z.strictObject({ faults: faultsSchema });
const trustedAccessSchema = z.strictObject({ enabled: z.boolean() });

type Route = { method: 'GET' | 'POST'; run(body: unknown, query: URLSearchParams): unknown };

/** The endpoints under `/_sandbox/`, outside AWS's protocols: the real state, call counts, and disturbances. */
export function createControl(sandbox: Sandbox, clock: MovableClock) {
  const accounts = (query: URLSearchParams) => ({ accounts: sandbox.accounts(query.get('accountId') ?? undefined) });
  const routes: Readonly<Record<string, readonly Route[]>> = {
    accounts: [
      { method: 'GET', run: (_, query) => accounts(query) },
      { method: 'POST', run: (body) => ({ accountIds: sandbox.changeAccounts(accountsSchema.parse(body)) }) },
    ],
    configurations: [{ method: 'GET', run: () => ({ configurations: sandbox.configurations() }) }],
    'organizational-units': [{ method: 'GET', run: () => ({ organizationalUnits: sandbox.organizationalUnits() }) }],
    calls: [{ method: 'GET', run: () => ({ calls: sandbox.calls() }) }],
    events: [{ method: 'GET', run: () => ({ events: sandbox.events() }) }],
    trail: [{ method: 'GET', run: () => ({ events: sandbox.trail() }) }],
    info: [{ method: 'GET', run: () => sandbox.info() }],
    clock: [
      { method: 'GET', run: () => ({ now: new Date(clock.now()) }) },
      {
        method: 'POST',
        run: (body) => {
          clock.advance(clockSchema.parse(body).advance);
          return { now: new Date(clock.now()) };
        },
      },
    ],
    drift: [{ method: 'POST', run: (body) => ({ changes: sandbox.drift(parseDrift(body)) }) }],
    faults: [
      {
        method: 'POST',
        run: (body) => {
          const { faults } = faultsRequestSchema.parse(body);
          sandbox.setFaults(faults);
          return { faults };
        },
      },
    ],
    'trusted-access': [
      {
        method: 'POST',
        run: (body) => {
          const { enabled } = trustedAccessSchema.parse(body);
          sandbox.setTrustedAccess(enabled);
          return { enabled };
        },
      },
    ],
    reset: [
      {
        method: 'POST',
        run: () => {
          clock.reset();
          sandbox.reset();
          return sandbox.info();
        },
      },
    ],
  };

  return (method: string, url: string, body: Buffer): ControlAnswer => {
    const { pathname, searchParams } = new URL(url, 'http://sandbox');
    const name = pathname.slice('/_sandbox/'.length);
    const route = Object.hasOwn(routes, name) ? routes[name] : undefined;
    if (route === undefined) return refusal(404, `There is no ${pathname}`);
    const chosen = route.find((candidate) => candidate.method === method);
    if (chosen === undefined)
      return refusal(405, `${pathname} takes ${route.map((candidate) => candidate.method).join(' or ')}`);
    const parsed = parseBody(body);
    if (parsed === undefined) return refusal(400, 'The body is not valid JSON');
    try {
      return { status: 200, body: chosen.run(parsed.value, searchParams) };
    } catch (error) {
      if (error instanceof z.ZodError) return refusal(400, z.prettifyError(error));
      // Zod compares the `length` of any object with its limits, even if that comparison throws.
      if (error instanceof TypeError && /primitive value/.test(error.message))
        return refusal(400, 'The body has a value of the wrong type');
      if (error instanceof ControlError) return refusal(400, error.message);
      throw error;
    }
  };
}

function refusal(status: number, message: string): ControlAnswer {
  return { status, body: { error: message } };
}

function parseBody(body: Buffer): { value: unknown } | undefined {
  if (body.length === 0) return { value: {} };
  try {
    return { value: JSON.parse(body.toString('utf8')) };
  } catch {
    return undefined;
  }
}
