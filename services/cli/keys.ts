import { ReadStream } from 'node:tty';
import type { Input } from './context.ts';

/** Ctrl-C: a key, not a signal, while the terminal sends each key without waiting for Enter. */
const CTRL_C = '\u0003';

/**
 * Calls `quit` when the user types q or Ctrl-C.
 * @returns a function that stops listening and gives the terminal back
 */
export function onQuitKey(input: Input, quit: () => void): () => void {
  if (input.isTTY !== true) return () => undefined;
  const terminal = input instanceof ReadStream ? input : null;
  const listen = (data: unknown): void => {
    const keys = String(data);
    if (keys.includes('q') || keys.includes(CTRL_C)) quit();
  };
  terminal?.setRawMode(true);
  input.on('data', listen);
  return () => {
    input.removeListener('data', listen);
    terminal?.setRawMode(false);
    input.pause();
  };
}
