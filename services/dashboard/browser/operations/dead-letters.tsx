import { Link } from 'wouter-preact';
import { ENROLLMENT_IDS, TITLES } from '../../../../shared/domain/enrollment/kinds/index.ts';
import { Redrive } from '../parts/operate.tsx';
import { Loaded } from '../parts/small.tsx';
import { Age } from '../parts/time.tsx';
import type { Resource } from '../resource.ts';
import type { DeadLetters } from '../types.ts';
import { count } from '../words.ts';

type Letter = DeadLetters['deadLetters'][number];

/** Work that was given up, each with a command that tries it again. */
export function DeadLettersPanel({ letters }: { readonly letters: Resource<DeadLetters> }) {
  const all = letters.data?.deadLetters ?? [];
  return (
    <section class="panel" aria-labelledby="dead">
      <header>
        <h2 id="dead">Dead letters</h2>
        <span class="sub">Work that was given up</span>
        {all.length > 1 && (
          <span class="right actions">
            <Redrive ids={all.map(({ id }) => id)} label={`Redrive all ${all.length}…`} />
          </span>
        )}
      </header>
      <Loaded resource={letters} what="The dead letters">
        {({ deadLetters }) =>
          deadLetters.length === 0 ? (
            <p class="message muted">No dead letters: no work was given up.</p>
          ) : (
            <LetterTable letters={deadLetters} />
          )
        }
      </Loaded>
    </section>
  );
}

function LetterTable({ letters }: { readonly letters: readonly Letter[] }) {
  return (
    <table class="grid cards" aria-label={count(letters.length, 'dead letter')}>
      <colgroup>
        <col class="w-name" />
        <col class="w-kind" />
        <col />
        <col class="w-num drop-s" />
        <col class="w-act" />
      </colgroup>
      <thead>
        <tr>
          <th scope="col">Account</th>
          <th scope="col">Enrollment</th>
          <th scope="col">Last error</th>
          <th scope="col" class="num drop-s">
            Given up
          </th>
          <th scope="col">
            <span class="sr">Action</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {letters.map((letter) => (
          <tr key={letter.id}>
            <th scope="row">
              <Subject letter={letter} />
            </th>
            <td>{kindOf(letter)}</td>
            <td class="why wide-cell" title={letter.reason.message}>
              {letter.reason.code}: {letter.reason.message}
            </td>
            <td class="num muted drop-s">
              <Age iso={letter.at} />
            </td>
            <td class="act">
              <Redrive ids={[letter.id]} label="Redrive…" />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const fieldOf = ({ message }: Letter, name: string): string | null => {
  const value = message?.[name];
  return typeof value === 'string' ? value : null;
};

function Subject({ letter }: { readonly letter: Letter }) {
  const accountId = fieldOf(letter, 'accountId');
  return accountId === null ? (
    <span title={letter.body}>{letter.message?.kind ?? 'Unreadable message'}</span>
  ) : (
    <Link class="mono" href={`/account?id=${accountId}`}>
      {accountId}
    </Link>
  );
}

function kindOf(letter: Letter): string {
  const id = ENROLLMENT_IDS.find((each) => each === fieldOf(letter, 'enrollment'));
  return id === undefined ? 'All' : TITLES[id];
}
