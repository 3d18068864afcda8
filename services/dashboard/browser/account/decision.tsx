import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { Link } from 'wouter-preact';
import { actorName } from '../../../../shared/domain/actor.ts';
import { post } from '../api.ts';
import { OPERATE, READ } from '../endpoints.ts';
import { changedHere } from '../live.ts';
import { copy } from '../parts/copy.tsx';
import { ReasonField, textOf } from '../parts/dialog.tsx';
import { Operation, showResult } from '../parts/operate.tsx';
import { Problem } from '../parts/small.tsx';
import { now } from '../parts/time.tsx';
import { useResource } from '../resource.ts';
import { replacedText } from '../suspension-text.ts';
import type { Account, AccountsAnswer, Suspension } from '../types.ts';
import { count, messageOf } from '../words.ts';

/** How a contested account is settled. */
export type Settlement = 'resume' | 'suspend' | 'policy';

/** `2026-12-08`: a day from now, UTC. */
export function inDays(days: number): string {
  return new Date(now.value + days * 86_400_000).toISOString().slice(0, 10);
}

interface DecisionProps {
  readonly found: Account;
  readonly choice: Settlement;
  readonly reason: string;
  readonly until: string;
  readonly yaml: string;
  readonly mayOperate: boolean;
  readonly onReason: (text: string) => void;
  readonly onUntil: (day: string) => void;
  /** Settles more accounts. */
  readonly all: ComponentChildren;
}

const BUTTONS: Readonly<Record<Settlement, string>> = {
  resume: 'Resume remediation',
  suspend: 'Suspend account',
  policy: 'Copy exemption',
};

/** The reason, and the button that repeats the choice. */
export function Decision({ found, choice, reason, until, yaml, mayOperate, onReason, onUntil, all }: DecisionProps) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const { accountId, account } = found;
  const name = account?.name ?? accountId;
  const decide = async (): Promise<void> => {
    if (choice === 'policy') return copy(yaml, 'Exemption');
    const body = { selector: accountId, reason: reason.trim() };
    if (choice === 'resume') {
      await post(OPERATE.resume, body);
      showResult(`Remediation of ${name} is resumed.`);
    } else {
      const { replaced } = await post<Suspension>(OPERATE.suspend, { ...body, until });
      showResult(`${name} is suspended until the end of ${until}.${replacedText(replaced, now.value)}`);
    }
    changedHere();
  };
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    decide()
      .catch((error: unknown) => setProblem(messageOf(error)))
      .finally(() => setBusy(false));
  };
  const allowed = mayOperate || choice === 'policy';
  return (
    <form onSubmit={submit}>
      <div class="settle-foot">
        <label class="field">
          <span>{choice === 'policy' ? 'Reason, part of the exemption' : 'Reason, recorded in the audit log'}</span>
          <span class="input">
            <input
              value={reason}
              required
              maxLength={500}
              disabled={!allowed}
              onInput={(event) => onReason(event.currentTarget.value)}
            />
          </span>
        </label>
        {choice !== 'resume' && (
          <label class="field day">
            <span>Until</span>
            <span class="input">
              <input
                type="date"
                required
                min={inDays(1)}
                max={inDays(365)}
                value={until}
                onInput={(event) => onUntil(event.currentTarget.value)}
              />
            </span>
          </label>
        )}
        <span class="actions">
          {choice !== 'policy' && all}
          <button type="submit" class="btn primary" disabled={busy || !allowed} aria-busy={busy}>
            {BUTTONS[choice]}
          </button>
        </span>
      </div>
      {!allowed && <p class="muted">Your role is read. To settle an account you need the role operate.</p>}
      {choice === 'policy' && (
        <p class="muted">
          Add it under <code>exemptions</code> of the policy, shown on the <Link href="/policy">Policy page</Link>. It
          takes effect with the next scan.
        </p>
      )}
      <Problem text={problem} />
    </form>
  );
}

/** Settles every contested account that the same actor has reverted, after a look at the list. */
export function SettleAll({ actor, choice }: { readonly actor: string; readonly choice: Settlement }) {
  const found = useResource<AccountsAnswer>(READ.contestedBy(actor)).data;
  if (found === null || found.total < 2 || found.next !== null) return null;
  const { accounts } = found;
  const those = count(accounts.length, 'account');
  const who = actorName(actor);
  const selector = accounts.map(({ accountId }) => accountId).join(',');
  const resumes = choice !== 'suspend';
  return (
    <Operation
      label={`Settle all ${accounts.length} from ${who}…`}
      action={resumes ? `Resume remediation in ${those}` : `Suspend ${those}`}
      title={resumes ? `Resume remediation in ${those}?` : `Suspend ${those}?`}
      path={resumes ? OPERATE.resume : OPERATE.suspend}
      body={(form) => ({
        selector,
        reason: textOf(form, 'reason'),
        ...(!resumes && { until: textOf(form, 'until') }),
      })}
      done={resumes ? `Remediation is resumed in ${those}.` : `${those} suspended.`}
    >
      <p>All are contested by {who}:</p>
      <ul class="those">
        {accounts.map(({ accountId, name, ou }) => (
          <li key={accountId}>
            {name || accountId} <span class="muted">{ou}</span>
          </li>
        ))}
      </ul>
      <ReasonField />
      {!resumes && (
        <label class="field">
          <span>Until</span>
          <span class="input">
            <input type="date" name="until" required min={inDays(1)} defaultValue={inDays(7)} />
          </span>
        </label>
      )}
    </Operation>
  );
}
