import type { ComponentChildren } from 'preact';
import { Link } from 'wouter-preact';
import type { Policy } from '../types.ts';
import { count, number } from '../words.ts';
import { CodeLine } from './code-line.tsx';
import { Mark } from './icon.tsx';
import { Age } from './time.tsx';

/** The annotation beside a line. */
interface Note {
  readonly line: number | null;
  readonly content: ComponentChildren;
}

const DAY_MS = 86_400_000;

function notesOf({ rules, defaults, exemptions, warnings }: Policy): readonly Note[] {
  const accounts = (n: number | null): string => (n === null ? '' : count(n, 'account'));
  const ruleLink = (id: string, n: number | null) => (
    <Link href={`/accounts?rule=${encodeURIComponent(id)}`}>{accounts(n)}</Link>
  );
  return [
    { line: defaults.line, content: ruleLink('defaults', defaults.accounts) },
    ...rules.map(({ id, line, deciding }) => ({ line, content: ruleLink(id, deciding) })),
    ...exemptions.map(({ line, accounts: ids, endsAt, inForce }) => {
      const soon = Date.parse(endsAt) - Date.now() < 14 * DAY_MS;
      const content = (
        <span class={soon || !inForce ? 'st c-drifted' : ''}>
          {(soon || !inForce) && <Mark name="drifted" />}
          {accounts(ids.length)}
          {inForce
            ? soon && (
                <>
                  , ends <Age iso={endsAt} phrase />
                </>
              )
            : ', expired'}
        </span>
      );
      return { line, content };
    }),
    ...warnings.map(({ line, severity, message }) => ({
      line,
      content: (
        <span class={`st ${severity === 'error' ? 'c-attention loud' : 'c-drifted'}`} title={message}>
          <Mark name={severity === 'error' ? 'attention' : 'drifted'} />
          {severity === 'error' ? 'Contradiction' : 'Warning'}
        </span>
      ),
    })),
  ];
}

/** The file with line numbers. The lines of rules and exemptions also show how many accounts they affect. */
export function PolicySource({ policy, view }: { readonly policy: Policy; readonly view: ComponentChildren }) {
  const { source, warnings } = policy;
  const notes = new Map<number, Note>();
  // A finding is more important than a count.
  for (const note of notesOf(policy)) if (note.line !== null) notes.set(note.line, note);
  const hot = new Set(warnings.filter(({ severity }) => severity === 'error').map(({ line }) => line));
  return (
    <section class="panel" aria-labelledby="source">
      <header>
        <h2 id="source">Source</h2>
        <span class="sub">
          {count(source.lines.length, 'line')}, valid{warnings.length > 0 && `, ${count(warnings.length, 'finding')}`}
        </span>
        {view}
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling area must be reachable by keyboard */}
      <section class="code" tabIndex={0} aria-label="Policy source">
        <table>
          <tbody>
            {source.lines.map((text, index) => (
              <tr key={`${index} ${text}`} id={`L${index + 1}`} class={hot.has(index + 1) ? 'hot' : ''}>
                <td class="ln">{number(index + 1)}</td>
                <td>
                  <CodeLine text={text} />
                </td>
                <td class="gut">{notes.get(index + 1)?.content}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </section>
  );
}
