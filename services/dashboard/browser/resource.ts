import { useEffect, useRef, useState } from 'preact/hooks';
import { get, token, Unanswered } from './api.ts';

export interface Resource<T> {
  /** The last answer; it stays until a newer one arrives. */
  readonly data: T | null;
  readonly error: Error | null;
  readonly loading: boolean;
  readonly reload: () => void;
}

type State<T> = Omit<Resource<T>, 'reload'> & { readonly key: string | null };

/** The API's answer for `path`, read again when `path` or `version` changes. A `path` of `null` reads nothing. */
export function useResource<T>(path: string | null, version: number | string = 0): Resource<T> {
  return useLoaded(path, version, (abort) => get<T>(path ?? '', abort));
}

/** Like {@link useResource}, for data that takes more than one request. It is read again when `key` or `version` changes. */
export function useLoaded<T>(
  key: string | null,
  version: number | string,
  load: (abort: AbortSignal) => Promise<T>,
): Resource<T> {
  const [state, setState] = useState<State<T>>({ key: null, data: null, error: null, loading: true });
  const [turn, setTurn] = useState(0);
  const seen = useRef(version);
  const read = useRef<() => void>(() => undefined);
  // `load` is a new function at each render, so the effect depends on `key` instead.
  useEffect(() => {
    seen.current = version;
    if (key === null) return;
    const abort = new AbortController();
    read.current = oneAtATime(async () => {
      setState((now) => ({ ...now, key, data: now.key === key ? now.data : null, loading: true }));
      try {
        const data = await load(abort.signal);
        if (!abort.signal.aborted) setState({ key, data, error: null, loading: false });
        return true;
      } catch (error) {
        if (abort.signal.aborted) return true;
        const failure = error instanceof Error ? error : new Error(String(error));
        setState((now) => ({ ...now, error: failure, loading: false }));
        return !(error instanceof Unanswered);
      }
    }, abort.signal);
    setState((now) => ({ ...now, error: null }));
    read.current();
    return () => abort.abort();
  }, [key, turn, token.value]);
  useEffect(() => {
    if (seen.current === version) return;
    seen.current = version;
    read.current();
  }, [version]);
  return { data: state.data, error: state.error, loading: state.loading, reload: () => setTurn((now) => now + 1) };
}

/**
 * Runs `work` one call at a time. A call during a run starts one more run after it, instead of aborting it: otherwise no answer would ever arrive
 * while changes come faster than answers. If `work` returns `false` (a timeout), it runs again immediately.
 */
function oneAtATime(work: () => Promise<boolean>, end: AbortSignal): () => void {
  let [busy, again] = [false, false];
  const start = async (): Promise<void> => {
    again = true;
    if (busy) return;
    busy = true;
    while (again && !end.aborted) {
      again = false;
      if (!(await work())) again = true;
    }
    busy = false;
  };
  return () => void start();
}
