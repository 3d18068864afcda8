import { approve } from '../../shared/app/guardrails/approvals.ts';
import { ControlsError, halt, resume, suspend, unhalt } from '../../shared/app/guardrails/controls.ts';
import { previewSelector } from '../../shared/app/guardrails/selector-preview.ts';
import { type SettleDeps, settleControls } from '../../shared/app/operator/apply-controls.ts';
import { askForScan, checkAccounts, redrive } from '../../shared/app/operator/commands.ts';
import { resumeContested } from '../../shared/app/operator/resume-contested.ts';
import { replacedView } from '../../shared/app/queries/enforcement-view.ts';
import { untilArgument } from '../../shared/config/arguments.ts';
import { type OperatorSelector, parseOperatorSelector } from '../../shared/domain/policy/index.ts';
import { toIso } from '../../shared/domain/time.ts';
import { ApiProblem } from './problem.ts';
import { type Call, jsonRoute, NONE } from './route.ts';
import { approveBody, checkBody, reasonBody, redriveBody, resumeBody, suspendBody } from './schemas/operate.ts';

/**
 * The time in which a request applies a command to accounts, ms. The command is in force from the beginning, and the next tick applies it to the remaining
 * accounts. The deployed function has 30 s for a request.
 */
const APPLY_MS = 5_000;

const applyCommand = (deps: SettleDeps): Promise<number> => settleControls(deps, deps.clock.now() + APPLY_MS);

type AnyCall = Pick<Call<unknown, unknown, unknown>, 'system' | 'principal'>;

/** The dependencies of operators' use cases. The ledger records the caller as the actor. */
function depsOf({ system: { stores, clock, newId }, principal: { actor } }: AnyCall) {
  return { ...stores, clock, newId, actor };
}

/** @throws ApiProblem if the selector is invalid */
function selectorOf(text: string): OperatorSelector {
  const parsed = parseOperatorSelector(text);
  if (parsed.ok) return parsed.selector;
  const message = `${parsed.message}. ${parsed.hint}`;
  throw new ApiProblem(400, 'BadSelector', message, { errors: [{ where: 'body.selector', message }] });
}

/** The commands of operators. Each works like the CLI command of the same name. */
export const operatorRoutes = [
  jsonRoute({
    method: 'post',
    path: '/api/scan',
    operationId: 'scan',
    answer: 'ScanAsked',
    summary: 'Scan now, without waiting for the schedule',
    ...NONE,
    body: reasonBody,
    handle: async (call) => {
      await askForScan(depsOf(call), call.body.reason ?? null);
      return { asked: true as const, actor: call.principal.actor };
    },
  }),
  jsonRoute({
    method: 'post',
    path: '/api/halt',
    operationId: 'halt',
    answer: 'Halt',
    summary: 'Turn the kill switch on: no process makes any further change',
    urgent: true,
    ...NONE,
    body: reasonBody,
    handle: async (call) => {
      const deps = depsOf(call);
      const { changed, controls } = await halt(deps, call.body.reason ?? null);
      await applyCommand(deps);
      const { halt: set } = controls;
      const at = set === null ? null : toIso(set.at);
      return { halted: set !== null, changed, at, by: set?.by ?? null, reason: set?.reason ?? null };
    },
  }),
  jsonRoute({
    method: 'post',
    path: '/api/unhalt',
    operationId: 'unhalt',
    answer: 'Halt',
    summary: 'Turn the kill switch off: enforcement continues',
    ...NONE,
    handle: async (call) => {
      const deps = depsOf(call);
      const changed = await unhalt(deps);
      await applyCommand(deps);
      return { halted: false, changed, at: null, by: null, reason: null };
    },
  }),
  jsonRoute({
    method: 'post',
    path: '/api/suspend',
    operationId: 'suspend',
    answer: 'Suspension',
    summary: 'Suspend enforcement for accounts, whatever the policy declares',
    ...NONE,
    body: suspendBody,
    handle: async (call) => {
      const { body, system } = call;
      const selector = selectorOf(body.selector);
      const { reason = null, until: end = null } = body;
      const until = end === null ? null : untilArgument('until', end, system.clock.now());
      const deps = depsOf(call);
      const { matched, unseen } = await previewSelector(deps.snapshots, selector);
      const { replaced: other } = await suspend(deps, { selector, until, reason });
      await applyCommand(deps);
      const ends = until === null ? null : toIso(until);
      const replaced = other === null ? null : replacedView(other);
      return { selector: selector.text, reason, until: ends, by: deps.actor, accounts: matched, unseen, replaced };
    },
  }),
  jsonRoute({
    method: 'post',
    path: '/api/resume',
    operationId: 'resume',
    answer: 'Resumption',
    summary: 'End suspensions, and resume contested accounts',
    ...NONE,
    body: resumeBody,
    handle: async (call) => {
      const { reason = null } = call.body;
      const selector = selectorOf(call.body.selector);
      const deps = depsOf(call);
      const contested = await resumeContested(deps, selector, reason);
      const { ended, left } = await resumeIfSuspended(deps, { selector, reason }, contested.length > 0);
      await applyCommand(deps);
      return {
        resumed: [...new Set([...ended, ...contested])],
        left: left.filter((id) => !contested.includes(id)),
        by: deps.actor,
      };
    },
  }),
  jsonRoute({
    method: 'post',
    path: '/api/check',
    operationId: 'check',
    answer: 'Check',
    summary: 'Read these accounts again now, and remediate their drift as the policy declares',
    ...NONE,
    body: checkBody,
    handle: async (call) => {
      const { accounts, reason = null } = call.body;
      const { policy } = await call.system.policy();
      const deps = depsOf(call);
      return { ...(await checkAccounts(deps, { accounts, policyHash: policy.hash, reason })), by: deps.actor };
    },
  }),
  jsonRoute({
    method: 'post',
    path: '/api/approve',
    operationId: 'approve',
    answer: 'Approval',
    summary:
      'Approve one stored plan for one run within 24 hours: a plan that maxChanges or a canary stopped, ' +
      'or that changes organization enrollment configurations set by somebody else',
    ...NONE,
    body: approveBody,
    handle: async (call) => {
      const { planHash: asked, reason: why = null } = call.body;
      const approved = await approve(depsOf(call), asked, { actor: call.principal.actor, reason: why });
      const { changes, accounts, configurations, entryId, approval } = approved;
      const { planHash, policyHash, actor, reason } = approval;
      const times = { at: toIso(approval.at), expiresAt: toIso(approval.expiresAt) };
      return { planHash, policyHash, actor, reason, ...times, changes, accounts, configurations, entryId };
    },
  }),
  jsonRoute({
    method: 'post',
    path: '/api/dead-letters/redrive',
    operationId: 'redrive',
    answer: 'Redrive',
    summary: 'Put dead letters back on the queue',
    ...NONE,
    body: redriveBody,
    handle: async (call) => {
      const { ids, reason = null } = call.body;
      const deps = depsOf(call);
      const redriven = await redrive(deps, ids, reason);
      return { redriven, left: ids.filter((id) => !redriven.includes(id)), by: deps.actor };
    },
  }),
];

/** Ends suspensions. A selector without suspended accounts is an error only if the command has not resumed contested accounts either. */
async function resumeIfSuspended(
  deps: Parameters<typeof resume>[0],
  { selector, reason }: { readonly selector: OperatorSelector; readonly reason: string | null },
  contested: boolean,
) {
  try {
    return await resume(deps, selector, reason);
  } catch (error) {
    if (error instanceof ControlsError && contested) return { ended: [], left: selector.accounts };
    throw error;
  }
}
