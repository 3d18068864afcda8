import type { ComponentChildren } from 'preact';

interface ButtonProps {
  readonly onClick: () => unknown;
  /** Draws only the border, for a less prominent button. */
  readonly outline?: boolean;
  readonly children: ComponentChildren;
}

export function Button({ onClick, outline = false, children }: ButtonProps) {
  return (
    <button type="button" class={outline ? 'secondary outline' : 'secondary'} onClick={onClick}>
      {children}
    </button>
  );
}

interface ChoiceProps {
  readonly label: string;
  /** An empty text stands for any value. */
  readonly value: string;
  readonly options: Iterable<readonly [value: string, text: string]>;
  readonly onChange: (value: string) => void;
}

/** A filter with the values to choose from, or any value. */
export function Choice({ label, value, options, onChange }: ChoiceProps) {
  return (
    <label>
      {label}
      <select value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {[['', 'Any'] as const, ...options].map(([each, text]) => (
          <option key={each} value={each}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}
