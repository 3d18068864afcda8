import { Icon } from './icon.tsx';

interface ChipProps {
  /** What is filtered, for example `Actor`. */
  readonly label: string;
  /** The chosen value; empty: any. */
  readonly value: string;
  readonly options: Iterable<readonly [value: string, text: string]>;
  readonly onChange: (value: string) => void;
  /** A choice that is always made has no "any". */
  readonly required?: boolean;
}

/** A filter as a chip: its choices open on a click and apply immediately; a button beside it removes the filter. */
export function FilterChip({ label, value, options, onChange, required = false }: ChipProps) {
  const on = value !== '';
  return (
    <span class={on ? 'chip on' : 'chip'}>
      {!on && <Icon name="plus" />}
      <select aria-label={label} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {!required && <option value="">{on ? `Any ${label.toLowerCase()}` : label}</option>}
        {[...options].map(([each, text]) => (
          <option key={each} value={each}>
            {text}
          </option>
        ))}
      </select>
      {on && !required ? (
        <button type="button" class="plain" aria-label={`Remove the filter ${label}`} onClick={() => onChange('')}>
          <Icon name="x" />
        </button>
      ) : (
        on && <Icon name="chev" />
      )}
    </span>
  );
}
