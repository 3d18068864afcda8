import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { open } from './shortcuts.ts';

/** Closes the dialog of the frame. */
export const close = (): void => {
  open.value = null;
};

interface SheetProps {
  readonly title: string;
  readonly class?: string;
  readonly children: ComponentChildren;
}

/** A modal dialog without a command. Focus stays inside, Escape and a click beside it close it, and focus returns afterwards. */
export function Sheet({ title, class: more = '', children }: SheetProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes a modal dialog
    <dialog
      ref={dialog}
      class={`sheet ${more}`}
      aria-label={title}
      onClose={close}
      onClick={(event) => event.target === dialog.current && close()}
    >
      {children}
    </dialog>
  );
}
