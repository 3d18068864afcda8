import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { navigate } from 'wouter-preact/use-browser-location';
import { PAGES } from './pages.ts';

/* Keyboard shortcuts. Single letters act only outside of fields and dialogs, and can be turned off [WCAG 2.1.4]. */

const KEY = 'rollcall-shortcuts';
/** Whether shortcuts of single letters are on. */
export const lettersOn = signal(localStorage.getItem(KEY) !== 'off');

export function setLetters(on: boolean): void {
  lettersOn.value = on;
  localStorage.setItem(KEY, on ? 'on' : 'off');
}

/** The dialog that the frame shows. */
export const open = signal<'search' | 'help' | 'more' | null>(null);

type Handler = (event: KeyboardEvent) => void;
/** The shortcuts of the page that is shown, by key as in `KeyboardEvent.key`. */
const ofPage = new Map<string, Handler>();

/**
 * Adds shortcuts of a page while it is shown. `handlers` may change at each render.
 * @public
 */
export function useShortcuts(handlers: Readonly<Record<string, Handler>>): void {
  useEffect(() => {
    for (const [key, handler] of Object.entries(handlers)) ofPage.set(key, handler);
    return () => {
      for (const [key, handler] of Object.entries(handlers)) if (ofPage.get(key) === handler) ofPage.delete(key);
    };
  });
}

/** How long after `G` its second key is expected, ms. */
const SECOND_KEY_MS = 1_500;

/** When `G` was pressed, if its second key is expected. */
let goAt = Number.NEGATIVE_INFINITY;

/** Listens to the keyboard while the page is open. */
export function keepShortcuts(): void {
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented) return;
    const isCommand = event.metaKey || event.ctrlKey;
    if (isCommand && event.key.toLowerCase() === 'k') {
      event.preventDefault();
      open.value = open.value === 'search' ? null : 'search';
    } else if (!isCommand && !event.altKey && !isTyping(event.target) && !hasDialog()) pressed(event);
  });
}

function pressed(event: KeyboardEvent): void {
  const isLetter = event.key.length === 1;
  if (isLetter && !lettersOn.value) return;
  const key = isLetter ? event.key.toLowerCase() : event.key;
  const going = event.timeStamp - goAt < SECOND_KEY_MS;
  goAt = !going && key === 'g' ? event.timeStamp : Number.NEGATIVE_INFINITY;
  const page = going ? PAGES.find((each) => each.key === key) : undefined;
  if (page !== undefined) navigate(page.href);
  else if (key !== 'g') act(event, key);
}

function act(event: KeyboardEvent, key: string): void {
  const handler = ofPage.get(event.shiftKey && key !== '?' ? `Shift ${key}` : key);
  if (handler !== undefined) handler(event);
  else if (key === '?') open.value = 'help';
  else if (key === '/') {
    focusSearch();
    event.preventDefault();
  }
}

/** Moves the focus to the search field of the list on the page, or opens the search of the frame. */
function focusSearch(): void {
  const field = document.querySelector<HTMLElement>('main [type="search"]');
  if (field === null) open.value = 'search';
  else field.focus();
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest('input, select, textarea, [contenteditable]') !== null;
}

const hasDialog = (): boolean => document.querySelector('dialog[open]') !== null;
