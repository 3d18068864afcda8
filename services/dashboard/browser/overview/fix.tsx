import { useEffect, useRef, useState } from 'preact/hooks';
import { Link } from 'wouter-preact';

import { Button } from '../parts/form.tsx';
import { sentence, wordsOf } from '../words.ts';

interface ShowFixProps {
  readonly reason: string;
  /** An account with this reason, which commands name as an example. */
  readonly accountId: string | null;
}

/** A button that says why accounts have this reason, and what to do. */
export function ShowFix({ reason, accountId }: ShowFixProps) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button look="tiny" onClick={() => setOpen(true)}>
        Show fix
      </Button>
      {open && <Fix reason={reason} accountId={accountId} onClose={() => setOpen(false)} />}
    </>
  );
}

function Fix({ reason, accountId, onClose }: ShowFixProps & { readonly onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const { text, short, cause = `${sentence(text)}.`, todo, steps = [] } = wordsOf(reason);
  const named = (what: string): string => (accountId === null ? what : what.replace(/\bID\b/, accountId));
  return (
    <dialog ref={dialog} class="sheet left" aria-labelledby="fix" onClose={onClose}>
      <h2 id="fix">{sentence(short)}</h2>
      <p>{cause}</p>
      <p>{todo}</p>
      {steps.length > 0 && (
        <ul class="steps">
          {steps.map(({ what, effect }) => (
            <li key={what}>
              {what.startsWith('rollcall ') ? <code>{named(what)}</code> : sentence(what)}
              {effect !== undefined && <small class="muted">{sentence(effect)}</small>}
            </li>
          ))}
        </ul>
      )}
      <footer class="actions">
        {accountId !== null && (
          <Link class="btn" href={`/account?id=${accountId}`}>
            View an account
          </Link>
        )}
        <Button look="primary" onClick={() => dialog.current?.close()}>
          Close
        </Button>
      </footer>
    </dialog>
  );
}
