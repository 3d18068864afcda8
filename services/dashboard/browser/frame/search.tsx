import { useEffect, useState } from 'preact/hooks';
import { useLocation } from 'wouter-preact';
import { get } from '../api.ts';
import { READ } from '../endpoints.ts';
import { Icon } from '../parts/icon.tsx';
import { askHalt, askScan } from '../parts/operate.tsx';
import type { AccountRow, AccountsAnswer } from '../types.ts';
import { PAGES } from './pages.ts';
import { Sheet } from './sheet.tsx';
import { open } from './shortcuts.ts';
import { useMayOperate, useStatus } from './source.ts';

interface Hit {
  readonly id: string;
  readonly title: string;
  readonly note: string;
  readonly run: () => void;
}

/** How long the reader pauses before accounts are searched, ms. */
const PAUSE_MS = 150;

/** Finds accounts by id, name or OU, pages, and commands. */
export function SearchDialog() {
  const [text, setText] = useState('');
  const [chosen, setChosen] = useState(0);
  const hits = useHits(text.trim());
  const at = Math.min(chosen, hits.length - 1);
  const take = (hit: Hit | undefined): void => {
    if (hit === undefined) return;
    open.value = null;
    hit.run();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step !== 0 && hits.length > 0) setChosen((at + step + hits.length) % hits.length);
    else if (event.key === 'Enter') take(hits[at]);
    else return;
    event.preventDefault();
  };
  return (
    <Sheet title="Search" class="palette">
      <div class="input">
        <Icon name="search" />
        <input
          type="text"
          role="combobox"
          aria-label="Search accounts, pages and commands"
          aria-expanded={hits.length > 0}
          aria-controls="hits"
          aria-activedescendant={hits[at]?.id}
          autoComplete="off"
          placeholder="Account, page or command"
          value={text}
          onInput={(event) => {
            setText(event.currentTarget.value);
            setChosen(0);
          }}
          onKeyDown={onKeyDown}
        />
      </div>
      <div id="hits" role="listbox" aria-label="Results" class="hits">
        {hits.map((hit, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the field above handles the keys
          // biome-ignore lint/a11y/useFocusableInteractive: the field keeps the focus
          <div key={hit.id} id={hit.id} role="option" aria-selected={index === at} onClick={() => take(hit)}>
            <span>{hit.title}</span>
            <span class="muted">{hit.note}</span>
          </div>
        ))}
      </div>
      {hits.length === 0 && <p class="muted">Nothing matches “{text}”.</p>}
    </Sheet>
  );
}

function useHits(text: string): readonly Hit[] {
  const [, navigate] = useLocation();
  const accounts = useAccounts(text);
  const commands = useCommands();
  const pages = PAGES.map(({ href, title, key }): Hit => {
    return { id: `hit-${key}`, title, note: 'Page', run: () => navigate(href) };
  });
  const fitting = [...pages, ...commands].filter(({ title }) => title.toLowerCase().includes(text.toLowerCase()));
  const found = accounts.map(({ accountId, name, ou }): Hit => {
    const run = () => navigate(`/account?id=${accountId}`);
    return { id: `hit-${accountId}`, title: name || accountId, note: `${accountId} ${ou}`, run };
  });
  return [...fitting, ...found];
}

function useCommands(): readonly Hit[] {
  const halted = useStatus().data?.halted ?? null;
  const mayOperate = useMayOperate();
  if (!mayOperate) return [];
  const note = 'Command';
  const title = halted === null ? 'Halt remediation…' : 'Resume remediation…';
  return [
    { id: 'hit-scan', title: 'Scan now…', note, run: askScan },
    { id: 'hit-halt', title, note, run: () => askHalt(halted !== null) },
  ];
}

function useAccounts(text: string): readonly AccountRow[] {
  const [found, setFound] = useState<readonly AccountRow[]>([]);
  useEffect(() => {
    if (text.length < 2) {
      setFound([]);
      return;
    }
    const abort = new AbortController();
    const timer = setTimeout(() => {
      get<AccountsAnswer>(READ.searchAccounts(text), abort.signal).then(
        ({ accounts }) => setFound(accounts),
        () => setFound([]),
      );
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [text]);
  return found;
}
