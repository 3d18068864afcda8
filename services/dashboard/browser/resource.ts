import { useEffect, useState } from 'preact/hooks';
import { get, token } from './api.ts';

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
  // Not by `load`, which is another one at each drawing: `key` says what it depends on.
  useEffect(() => {
    if (key === null) return;
    const abort = new AbortController();
    setState((now) => ({ ...now, key, data: now.key === key ? now.data : null, error: null, loading: true }));
    load(abort.signal).then(
      (data) => {
        if (!abort.signal.aborted) setState({ key, data, error: null, loading: false });
      },
      (error: unknown) => {
        if (abort.signal.aborted) return;
        const told = error instanceof Error ? error : new Error(String(error));
        setState((now) => ({ ...now, error: told, loading: false }));
      },
    );
    return () => abort.abort();
  }, [key, version, turn, token.value]);
  return { data: state.data, error: state.error, loading: state.loading, reload: () => setTurn((now) => now + 1) };
}
