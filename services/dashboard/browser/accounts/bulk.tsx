import { useState } from 'preact/hooks';
import { type AccountQuery, apiQuery } from '../account-filters.ts';
import { get } from '../api.ts';
import { OPERATE, READ } from '../endpoints.ts';
import { announce } from '../frame/announce.tsx';
import { useMayOperate } from '../frame/source.ts';
import { copy } from '../parts/copy.tsx';
import { ReasonField, TextField, textOf } from '../parts/dialog.tsx';
import { Button } from '../parts/form.tsx';
import { Operation, perform } from '../parts/operate.tsx';
import type { AccountsAnswer } from '../types.ts';
import { count, messageOf, number } from '../words.ts';
import type { Selection } from './selection.ts';

/** A command takes the ids of at most this many accounts. */
const MOST_IN_COMMAND = 1_500;
const MOST_CHECKED = 100;

interface Props {
  readonly selection: Selection;
  readonly query: AccountQuery;
  readonly total: number;
}

/** What can be done with the selected accounts. */
export function BulkBar({ selection, query, total }: Props) {
  const mayOperate = useMayOperate();
  const [problem, setProblem] = useState<string | null>(null);
  const ids = [...selection.ids];
  const selector = ids.join(',');
  const those = count(ids.length, 'account');
  const fits = ids.length <= MOST_IN_COMMAND;
  const selectAll = async (): Promise<void> => {
    try {
      const { accounts } = await get<AccountsAnswer>(READ.accountIds(apiQuery(query)));
      selection.add(accounts.map(({ accountId }) => accountId));
      announce(`${count(accounts.length, 'account')} selected.`);
    } catch (error) {
      setProblem(messageOf(error));
    }
  };
  return (
    <div class="tools bulk" role="toolbar" aria-label="Actions for the selected accounts">
      <b class="strong">{number(ids.length)} selected</b>
      {fits && (
        <>
          <SuspendAccounts selector={selector} those={those} />
          <ResumeAccounts selector={selector} those={those} />
        </>
      )}
      {ids.length <= MOST_CHECKED && (
        <Button
          look="tiny"
          disabled={!mayOperate}
          onClick={() => perform(OPERATE.check, { accounts: ids }, `${those} will be read again within seconds.`)}
        >
          Check again
        </Button>
      )}
      <Button look="tiny" onClick={() => copy(ids.join('\n'), `${count(ids.length, 'account id')}`)}>
        Copy ids
      </Button>
      {ids.length < total && (
        <button type="button" class="btn tiny quiet" onClick={selectAll}>
          Select all {number(total)}
        </button>
      )}
      {!mayOperate && <span class="muted small">Your role is read. Commands need the role operate.</span>}
      {!fits && (
        <span class="muted small">
          A command takes at most {number(MOST_IN_COMMAND)} accounts. Suspend an OU, a tag or a name instead.
        </span>
      )}
      {problem !== null && (
        <span role="alert" class="small">
          {problem}
        </span>
      )}
      <button type="button" class="btn tiny quiet right" onClick={selection.clear}>
        Clear selection <kbd>Esc</kbd>
      </button>
    </div>
  );
}

interface CommandProps {
  /** The accounts, as the API takes them. */
  readonly selector: string;
  /** The accounts in words: `3 accounts`, or a name. */
  readonly those: string;
  readonly look?: 'tiny' | null;
}

export function SuspendAccounts({ selector, those, look = 'tiny' }: CommandProps) {
  return (
    <Operation
      {...(look !== null && { look })}
      label="Suspend…"
      action={`Suspend ${those}`}
      title={`Suspend ${those}?`}
      path={OPERATE.suspend}
      body={(form) => ({ selector, reason: textOf(form, 'reason'), until: textOf(form, 'until') })}
      done={`${those} suspended.`}
    >
      <p>Rollcall makes no changes there. Drift is still recorded and reported.</p>
      <ReasonField />
      <TextField
        {...{ label: 'Until', name: 'until', placeholder: '2h, or 2027-01-31' }}
        hint="A date (end of day, UTC), a time or a duration. Empty: until resumed."
      />
    </Operation>
  );
}

export function ResumeAccounts({ selector, those, look = 'tiny' }: CommandProps) {
  return (
    <Operation
      {...(look !== null && { look })}
      label="Resume…"
      action={`Resume ${those}`}
      title={`Resume ${those}?`}
      path={OPERATE.resume}
      body={(form) => ({ selector, reason: textOf(form, 'reason') })}
      done={`${those} resumed.`}
    >
      <p>Ends their suspension and settles contested enrollments. Rollcall reads the accounts immediately.</p>
      <ReasonField required={false} />
    </Operation>
  );
}
