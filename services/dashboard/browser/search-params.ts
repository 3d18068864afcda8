import { useLocation, useSearch } from 'wouter-preact';

/** The state of a page, stored in the query of its address. An absent parameter has its default value. */
export function useParams(): readonly [URLSearchParams, (changes: Readonly<Record<string, string | null>>) => void] {
  const [path, navigate] = useLocation();
  const params = new URLSearchParams(useSearch());
  const change = (changes: Readonly<Record<string, string | null>>): void => {
    // Start from the current address, not from the one at render time, so that two quick changes do not undo each other.
    const next = new URLSearchParams(location.search);
    for (const [name, value] of Object.entries(changes)) {
      if (value === null || value === '') next.delete(name);
      else next.set(name, value);
    }
    const text = next.toString();
    navigate(text === '' ? path : `${path}?${text}`, { replace: true });
  };
  return [params, change];
}
