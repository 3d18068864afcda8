import type { ComponentChildren } from 'preact';

interface ButtonProps {
  readonly onClick: () => unknown;
  /** `primary`: the main command of its place; `quiet`: without a border; `tiny`: for rows of a table. */
  readonly look?: 'primary' | 'danger' | 'quiet' | 'tiny';
  readonly disabled?: boolean;
  /** Tooltip that explains the command. */
  readonly title?: string;
  readonly children: ComponentChildren;
}

export function Button({ onClick, look, disabled = false, title, children }: ButtonProps) {
  const name = look === undefined ? 'btn' : `btn ${look}`;
  return (
    <button type="button" class={name} disabled={disabled} title={title} onClick={onClick}>
      {children}
    </button>
  );
}

interface SegmentsProps<V extends string> {
  /** What is chosen, for screen readers. */
  readonly label: string;
  readonly value: V;
  readonly options: readonly (readonly [value: V, text: string])[];
  readonly onChange: (value: V) => void;
}

/** A few views to choose from, side by side. */
export function Segments<V extends string>({ label, value, options, onChange }: SegmentsProps<V>) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be part of a line of text
    <span class="seg" role="group" aria-label={label}>
      {options.map(([each, text]) => (
        <button key={each} type="button" aria-pressed={each === value} onClick={() => onChange(each)}>
          {text}
        </button>
      ))}
    </span>
  );
}
