import { useEffect, useRef, useState } from 'preact/hooks';
import { get, token, Unanswered } from './api.ts';

export interface Resource<T> {
  /** The last answer; stays while a newer one is on its way. */
  readonly data: T | null;
  readonly error: Error | null;
  readonly loading: boolean;
  readonly reload: () => void;
}

interface State<T> {
  readonly key: string | null;
  readonly data: T | null;
  readonly error: Error | null;
  readonly loading: boolean;
}

/** What the API answers under `path`, read again when `path` or `version` changes; `null`: nothing yet. */
export function useResource<T>(path: string | null, version: number | string = 0): Resource<T> {
  return useLoaded(path, version, (abort) => get<T>(path ?? '', abort));
}

/** As {@link useResource}, for what takes more than one request. `key` says what it depends on. */
export function useLoaded<T>(
  key: string | null,
  version: number | string,
  load: (abort: AbortSignal) => Promise<T>,
): Resource<T> {
  const [state, setState] = useState<State<T>>({ key: null, data: null, error: null, loading: true });
  const [turn, setTurn] = useState(0);
  const seen = useRef(version);
  const read = useRef<() => void>(() => undefined);
  // Not by `load`, which is another one at each drawing: `key` says what it depends on.
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
        const told = error instanceof Error ? error : new Error(String(error));
        setState((now) => ({ ...now, error: told, loading: false }));
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
 * Asked while it is at it, it begins again afterwards: where changes come faster than answers, answers still come. Also where it was in
 * vain (`work` says so by `false`), which it has waited for long enough.
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
