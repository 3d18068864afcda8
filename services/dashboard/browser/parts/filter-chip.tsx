import { Icon } from './icon.tsx';

interface ChipProps {
  /** What is filtered, for example `Actor`. */
  readonly label: string;
  /** The chosen value; empty: any. */
  readonly value: string;
  /** A text may end with a count: `anna (12)`. */
  readonly options: Iterable<readonly [value: string, text: string]>;
  readonly onChange: (value: string) => void;
  /** A choice that is always made has no "any". */
  readonly required?: boolean;
  readonly class?: string;
}

/**
 * A filter as a chip; a button beside it removes the filter. The browser's own list of choices lies over the chip's text, so that it works with every
 * keyboard and screen reader.
 */
export function FilterChip({ label, value, options, onChange, required = false, class: more = '' }: ChipProps) {
  const on = value !== '';
  const offered = [...options];
  // A value in the address that nothing has now explains why the list is empty.
  const all = !on || offered.some(([each]) => each === value) ? offered : [[value, value] as const, ...offered];
  const [, text = ''] = all.find(([each]) => each === value) ?? [];
  const chosen = text.replace(/ \(\d[\d,]*\)$/, '');
  return (
    <span class={`chip pick ${on ? 'on' : ''} ${more}`} title={on && !required ? `${label}: ${chosen}` : undefined}>
      {!on && <Icon name="plus" />}
      <span aria-hidden="true">{on ? `${required ? '' : `${label}: `}${chosen}` : label}</span>
      <select aria-label={label} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {!required && <option value="">Any</option>}
        {all.map(([each, name]) => (
          <option key={each} value={each}>
            {name}
          </option>
        ))}
      </select>
      {on && required && <Icon name="chev" />}
      {on && !required && (
        <button type="button" class="plain" aria-label={`Remove the filter ${label}`} onClick={() => onChange('')}>
          <Icon name="x" />
        </button>
      )}
    </span>
  );
}
