import { Icon } from '../parts/icon.tsx';

interface Props {
  readonly label: string;
  /** Empty: any value. */
  readonly value: string;
  readonly options: readonly (readonly [value: string, text: string])[];
  readonly class?: string;
  readonly onChange: (value: string) => void;
}

/** A filter as a chip: the browser's own list of choices lies over its text, so that it works with every keyboard and screen reader. */
export function FilterChip({ label, value, options, class: more = '', onChange }: Props) {
  // A value in the address that no account has explains why the list is empty.
  const all =
    value === '' || options.some(([each]) => each === value) ? options : [[value, value] as const, ...options];
  const [, text = ''] = all.find(([each]) => each === value) ?? [];
  return (
    <label
      class={`chip pick ${value === '' ? '' : 'on'} ${more}`}
      title={value === '' ? undefined : `${label}: ${value}`}
    >
      {value === '' && <Icon name="plus" />}
      <span aria-hidden="true">{value === '' ? label : `${label}: ${text.replace(/ \(\d[\d,]*\)$/, '')}`}</span>
      <select aria-label={label} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        <option value="">Any</option>
        {all.map(([each, name]) => (
          <option key={each} value={each}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
