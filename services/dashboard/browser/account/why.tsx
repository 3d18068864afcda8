import { Link } from 'wouter-preact';
import { shownFields } from '../../../../shared/domain/policy/types.ts';
import { useWhoAmI } from '../frame/source.ts';
import type { Account, Explanation } from '../types.ts';
import { FIELD_WORDS } from '../words.ts';

/** Which rule decides each field for the account, and how to change it. */
export function Why({ found: { explanation, notExplained } }: { readonly found: Account }) {
  const file = useWhoAmI()?.policy?.file ?? 'the policy';
  return (
    <section class="panel" aria-labelledby="why">
      <header>
        <h2 id="why">Why the policy requires this</h2>
        <span class="sub">For each field, the first matching rule that sets it decides</span>
        <Link class="right" href="/policy">
          View policy
        </Link>
      </header>
      {explanation === null ? (
        <p class="message muted">The decision cannot be explained: {notExplained}.</p>
      ) : (
        <Decisions explanation={explanation} file={file} />
      )}
    </section>
  );
}

function Decisions({ explanation, file }: { readonly explanation: Explanation; readonly file: string }) {
  const { desired, rules, canary } = explanation;
  return (
    <>
      {desired.contradiction !== null && (
        <p class="problem">The policy contradicts itself for this account: {desired.contradiction.message}</p>
      )}
      <table class="grid cards">
        <colgroup>
          <col class="w-path" />
          <col class="w-st" />
          <col class="w-rule" />
          <col />
        </colgroup>
        <thead>
          <tr>
            <th scope="col">Field</th>
            <th scope="col">Value</th>
            <th scope="col">Decided by</th>
            <th scope="col">Because</th>
          </tr>
        </thead>
        <tbody>
          {shownFields(desired).map((field) => (
            <tr key={field}>
              <th scope="row">{FIELD_WORDS[field]}</th>
              <td>{desired[field].value}</td>
              <td>
                <RuleLink rule={desired[field].rule} />
              </td>
              <td class="why wide-cell">{because(explanation, desired[field].rule, FIELD_WORDS[field])}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <details class="rules">
        <summary>All {rules.length} rules</summary>
        <ul>
          {rules.map(({ id, matched, conditions }) => (
            <li key={id}>
              <b class="strong">{id}</b> {matched ? 'matches' : 'does not match'}
              <span class="muted"> {plain(conditions) || 'applies to all accounts'}</span>
            </li>
          ))}
        </ul>
      </details>
      <p class="table-foot">
        To change a value, edit its rule in {file}, or put a rule that matches this account above it.
        {canary && ' This is a canary account: it is changed before the others.'}
      </p>
    </>
  );
}

export function RuleLink({ rule }: { readonly rule: string }) {
  return <Link href={`/policy?rule=${encodeURIComponent(rule)}`}>{rule}</Link>;
}

function because({ rules }: Explanation, decidedBy: string, field: string): string {
  if (decidedBy === 'defaults') return `No matching rule sets ${field}`;
  const rule = rules.find(({ id }) => id === decidedBy);
  return plain(rule?.conditions ?? []) || 'The rule applies to all accounts';
}

/** The sentences mark names with backticks for the terminal. */
function plain(conditions: Explanation['rules'][number]['conditions']): string {
  return conditions.map(({ why }) => why.replaceAll('`', '')).join('; ');
}
