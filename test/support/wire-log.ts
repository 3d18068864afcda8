import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { AccountTruth } from '../../services/sandbox/engine/accounts.ts';
import type { Sandbox } from '../../services/sandbox/engine/sandbox.ts';
import type { ApiAnswer, ApiRequest } from '../../services/sandbox/engine/types.ts';
import type { RunningSandbox } from '../../services/sandbox/start.ts';
import { databasePath } from '../../shared/adapters/embedded/file.ts';
import { isLedgerEntry } from '../../shared/adapters/stored-shapes.ts';
import { emptyRecord, foldEntry } from '../../shared/domain/account/record.ts';
import type { EnrollmentId } from '../../shared/domain/enrollment/kinds/index.ts';
import type { CompiledPolicy } from '../../shared/domain/policy/index.ts';
import { enrollmentChangedBy } from './mutating-calls.ts';

/** A mutating call at the sandbox, with the state of the ledger's file when it arrived. */
export interface MutatingCall {
  readonly operation: string;
  readonly caller: string;
  readonly answer: ApiAnswer['kind'];
  readonly code: string | null;
  /** The accounts that it would change: the caller's own, those of the batch, or every open one that is neither Active nor Pending. */
  readonly accounts: readonly Touched[];
  readonly enrollment: EnrollmentId;
  readonly organizationWide: boolean;
  readonly optOut: boolean;
  /** Epoch ms, by the sandbox's clock. */
  readonly at: number;
  /** The policy under which it was made. */
  readonly policy: CompiledPolicy | null;
}

export interface Touched {
  readonly truth: AccountTruth;
  /** Id of its open intent when the call arrived; `null`: none, or one for another call. */
  readonly intentId: string | null;
  /** The account already had the requested state. */
  readonly redundant: boolean;
}

export interface WireLog {
  /** In the order of arrival. */
  readonly mutating: readonly MutatingCall[];
  /** All calls so far. */
  readonly count: number;
  /** Mutating calls that `onCall` interrupted before they took effect. */
  readonly dropped: number;
  /** Called for each call before it takes effect; `reset` breaks the connection without carrying it out. */
  onCall: ((request: ApiRequest, number: number) => 'reset' | undefined) | null;
  /** Called after a call took effect and before it is answered; may answer something else. */
  onAnswer: ((request: ApiRequest, answer: ApiAnswer) => ApiAnswer | undefined) | null;
  policy: CompiledPolicy | null;
  close(): void;
}

/** Records the calls at the sandbox, independently of the app and its ledger. */
export function listenAt({ sandbox, clock }: RunningSandbox, dataDir: string): WireLog {
  const mutating: MutatingCall[] = [];
  const ledger = ledgerReader(dataDir);
  const original = sandbox.handle.bind(sandbox);
  let count = 0;
  let dropped = 0;
  const log: WireLog = {
    mutating,
    get count() {
      return count;
    },
    get dropped() {
      return dropped;
    },
    onCall: null,
    onAnswer: null,
    policy: null,
    close: ledger.close,
  };
  sandbox.handle = (request) => {
    count += 1;
    const enrollment = enrollmentChangedBy(request);
    const call = enrollment === null ? null : describe(request, enrollment, sandbox, ledger);
    const drop = log.onCall?.(request, count) === 'reset';
    const answer: ApiAnswer = drop ? { kind: 'reset', delayMs: 0 } : original(request);
    if (drop && call !== null) dropped += 1;
    const code = answer.kind === 'error' ? answer.error.code : null;
    if (call !== null) mutating.push({ ...call, at: clock.now(), answer: answer.kind, code, policy: log.policy });
    return log.onAnswer?.(request, answer) ?? answer;
  };
  return log;
}

type LedgerReader = ReturnType<typeof ledgerReader>;

function describe(
  { operation, callerAccountId: caller, input }: ApiRequest,
  enrollment: EnrollmentId,
  sandbox: Sandbox,
  ledger: LedgerReader,
): Omit<MutatingCall, 'at' | 'answer' | 'code' | 'policy'> {
  const asked = typeof input === 'object' && input !== null ? { ...input } : {};
  const status = 'status' in asked ? asked.status : null;
  const batch = 'accountIds' in asked && Array.isArray(asked.accountIds) ? asked.accountIds : [caller];
  const organizationWide = 'includeMemberAccounts' in asked && asked.includeMemberAccounts === true;
  const concerned = organizationWide
    ? sandbox
        .accounts()
        .filter((account) => account.state === 'ACTIVE' && !['Active', 'Pending'].includes(account[enrollment].status))
    : 'target' in asked
      ? configuredBy(asked, sandbox)
      : batch.flatMap((id) => sandbox.accounts(String(id)));
  const optOut = operation === 'DisassociateAccounts' || status === 'Inactive';
  const alreadySo = (account: AccountTruth): boolean => {
    if (operation === 'AssociateAccounts')
      return isActive(account) && account.automation.organizationRuleMode === 'AnyAllowed';
    if ('target' in asked) return false;
    if (operation === 'DisassociateAccounts') return account.automation.organizationRuleMode === 'NoneAllowed';
    return account[enrollment].status === status;
  };
  const touched = concerned.map((truth) => ({
    truth,
    intentId: ledger.openIntent(truth.accountId, enrollment, operation),
    redundant: alreadySo(truth),
  }));
  return { operation, caller, accounts: touched, enrollment, organizationWide, optOut };
}

/** The members that a call for a configuration changes: enrolled in Compute Optimizer, at or below the target, without a nearer configuration. */
function configuredBy({ target, organizationRuleMode }: Record<string, unknown>, sandbox: Sandbox): AccountTruth[] {
  const targetId = Object.values(typeof target === 'object' && target !== null ? target : {})[0];
  const stored = new Map(sandbox.configurations().map((each) => [each.targetId, each.organizationRuleMode]));
  const units = new Map(sandbox.organizationalUnits().map((unit) => [unit.id, unit]));
  const pathOf = (id: string): string => {
    const unit = units.get(id);
    return unit === undefined || unit.parentId === null ? '' : `${pathOf(unit.parentId)}/${unit.name}`;
  };
  const idOf = new Map([...units.keys()].map((id) => [pathOf(id) || '/', id]));
  const branchOf = ({ accountId, ou }: AccountTruth): string[] => {
    const branch = [accountId];
    for (let id = idOf.get(ou) ?? null; id !== null; id = units.get(id)?.parentId ?? null) branch.push(id);
    return branch;
  };
  return sandbox.accounts().filter((account) => {
    const { management, state, computeOptimizer, automation } = account;
    const branch = branchOf(account);
    const at = branch.indexOf(String(targetId));
    if (management || state !== 'ACTIVE' || computeOptimizer.status !== 'Active' || at === -1) return false;
    if (branch.slice(0, at).some((id) => stored.has(id))) return false;
    const inherited = branch.slice(at + 1).find((id) => stored.has(id));
    const mode = organizationRuleMode ?? (inherited === undefined ? 'NoneAllowed' : stored.get(inherited));
    const enables = organizationRuleMode !== undefined && automation.status !== 'Active';
    return enables || automation.organizationRuleMode !== mode;
  });
}

const isActive = ({ automation }: AccountTruth): boolean => automation.status === 'Active';

/** Reads the app's file through a separate connection. */
function ledgerReader(dataDir: string) {
  let db: DatabaseSync | null = null;
  const open = (): DatabaseSync | null => {
    const path = databasePath(dataDir);
    if (db === null && existsSync(path)) db = new DatabaseSync(path, { readOnly: true, timeout: 1_000 });
    return db;
  };
  return {
    openIntent(accountId: string, enrollment: EnrollmentId, operation: string): string | null {
      const rows = open()?.prepare('SELECT body FROM ledger WHERE chain = ? ORDER BY seq').all(accountId) ?? [];
      const entries = rows.map(({ body }): unknown => JSON.parse(String(body))).filter(isLedgerEntry);
      const claim = entries.reduce(foldEntry, emptyRecord(accountId)).conditions[enrollment]?.claim ?? null;
      return claim?.operation === operation ? claim.entryId : null;
    },
    close: () => {
      db?.close();
      db = null;
    },
  };
}
