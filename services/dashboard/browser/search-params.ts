import { useLocation, useSearch } from 'wouter-preact';

/** The state of a page, in its address: what is absent is the default. */
export function useParams(): readonly [URLSearchParams, (changes: Readonly<Record<string, string | null>>) => void] {
  const [path, navigate] = useLocation();
  const params = new URLSearchParams(useSearch());
  const change = (changes: Readonly<Record<string, string | null>>): void => {
    // What is in the address now, not what was when this was drawn: two quick changes must not undo each other.
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
