import { Link } from 'wouter-preact';
import { ASSOCIABLE } from '../../../../shared/domain/enrollment/kinds/index.ts';
import type { Status } from '../types.ts';
import { count, number } from '../words.ts';
import { StatusMark } from './icon.tsx';
import { DataTable } from './table.tsx';
import { Sentence } from './time.tsx';

type Row = Status['configurations'][number];

const OWNERS: Readonly<Record<Row['owner'], string>> = { rollcall: 'Rollcall', other: 'somebody else' };

/** The organization enrollment configurations of Automation; nothing if none is known. */
export function Configurations({ status: { configurations } }: { readonly status: Status }) {
  if (configurations.length === 0) return null;
  return (
    <section class="panel" aria-labelledby="configurations">
      <header>
        <h2 id="configurations">Organization enrollment configurations</h2>
      </header>
      <DataTable
        label="Organization enrollment configurations by target"
        rows={configurations}
        keyOf={({ targetId }) => targetId ?? ''}
        rowHeader
        columns={[
          ['Target', targetOf],
          ['Rule mode', ({ ruleMode }) => ruleMode],
          ['Set by', ({ owner }) => OWNERS[owner]],
          ['Policy', ({ wanted }) => wanted.join(' or ')],
          ['Accounts', ({ accounts }) => number(accounts)],
          ['Status', ({ status }) => <StatusMark status={status} />],
          ['Note', noteOf],
        ]}
      />
    </section>
  );
}

function targetOf({ target, targetId }: Row) {
  if (targetId === null) return 'not named by AWS yet';
  const name = target ?? targetId;
  if (name.startsWith('/'))
    return (
      <>
        <Link href={`/accounts?${new URLSearchParams({ enrollment: ASSOCIABLE, ou: name })}`}>{name}</Link>
        <br />
        <span class="muted">{targetId}</span>
      </>
    );
  return /^\d{12}$/.test(name) ? <Link href={`/account?id=${name}`}>{name}</Link> : name;
}

function noteOf({ differing, accounts, message }: Row) {
  if (message === null) return null;
  const differ = differing === 0 ? '' : `${number(differing)} of ${count(accounts, 'account')} differ; `;
  return <Sentence text={`${differ}${message}`} />;
}
