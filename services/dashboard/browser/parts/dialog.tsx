import type { ComponentChildren, InputHTMLAttributes } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { messageOf } from '../words.ts';
import { Button } from './form.tsx';
import { Problem } from './small.tsx';

interface Props {
  readonly title: string;
  /** Label of the button that confirms. */
  readonly action: string;
  readonly danger?: boolean;
  readonly onClose: () => void;
  /** Runs on confirmation. If it throws, the dialog stays open and shows the error. */
  readonly onConfirm: (form: FormData) => Promise<void>;
  readonly children: ComponentChildren;
}

/** Asks for confirmation in the browser's modal dialog: focus stays inside, Escape closes it, and focus returns afterwards. */
export function Confirm({ title, action, danger = false, onClose, onConfirm, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (!(event.currentTarget instanceof HTMLFormElement) || busy) return;
    setBusy(true);
    setProblem(null);
    onConfirm(new FormData(event.currentTarget)).then(onClose, (error: unknown) => {
      setProblem(messageOf(error));
      setBusy(false);
    });
  };
  return (
    <dialog ref={dialog} class="sheet" aria-labelledby="dialog-title" onClose={onClose}>
      <form class="dialog-form" onSubmit={submit} onKeyDown={danger ? keepEnter : undefined}>
        <h2 id="dialog-title">{title}</h2>
        {children}
        <Problem text={problem} />
        <footer class="actions">
          <Button onClick={onClose}>Cancel</Button>
          <button type="submit" class={`btn ${danger ? 'stop' : 'primary'}`} aria-busy={busy} disabled={busy}>
            {action}
          </button>
        </footer>
      </form>
    </dialog>
  );
}

/** Enter in a field must not confirm a dangerous command. */
function keepEnter(event: KeyboardEvent): void {
  if (event.key === 'Enter' && event.target instanceof HTMLInputElement) event.preventDefault();
}

/** Text of a field; `null` if it is empty. */
export function textOf(form: FormData, name: string): string | null {
  const value = form.get(name);
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : null;
}

interface TextFieldProps extends Pick<InputHTMLAttributes, 'placeholder' | 'required' | 'type' | 'maxLength'> {
  readonly label: string;
  readonly name: string;
  /** Below the field. */
  readonly hint?: string;
}

export function TextField({ label, name, hint, type = 'text', ...input }: TextFieldProps) {
  return (
    <label class="field">
      <span>{label}</span>
      <span class="input">
        <input {...input} name={name} type={type} autoComplete="off" />
      </span>
      {hint !== undefined && <small class="muted">{hint}</small>}
    </label>
  );
}

export function ReasonField({ required = true }: { readonly required?: boolean }) {
  return (
    <TextField
      {...{ label: 'Reason', name: 'reason', maxLength: 500, required }}
      hint="Recorded in the audit log with your name."
    />
  );
}
