import { Link } from 'wouter-preact';
import { Icon } from '../parts/icon.tsx';
import { setZone, zone } from '../time-text.ts';
import { PAGES } from './pages.ts';
import { SearchDialog } from './search.tsx';
import { close, Sheet } from './sheet.tsx';
import { lettersOn, open, setLetters } from './shortcuts.ts';
import { useWhoAmI } from './source.ts';

/** The dialog of the frame that is open: search, shortcuts, or what a narrow window hides. */
export function FrameDialog() {
  if (open.value === 'search') return <SearchDialog />;
  if (open.value === 'help') return <HelpDialog />;
  return open.value === 'more' ? <MoreDialog /> : null;
}

function SheetHead({ title }: { readonly title: string }) {
  return (
    <header class="sheet-head">
      <h2>{title}</h2>
      <button type="button" class="icon-btn" aria-label="Close" onClick={close}>
        <Icon name="x" />
      </button>
    </header>
  );
}

const SHORTCUTS: readonly (readonly [title: string, keys: readonly (readonly [keys: string, does: string])[]])[] = [
  [
    'Anywhere',
    [
      ['Ctrl K', 'Search accounts, pages and commands'],
      ['/', 'Search the list on the page'],
      ['?', 'Show these shortcuts'],
      ['Esc', 'Clear the selection, close, go back'],
    ],
  ],
  ['Go to', PAGES.map(({ key, title }) => [`G ${key.toUpperCase()}`, title] as const)],
  [
    'In lists',
    [
      ['J', 'Next row'],
      ['K', 'Previous row'],
      ['Enter', 'Open the row'],
      ['X', 'Select the row'],
      ['Shift X', 'Select all rows from the last selected one'],
    ],
  ],
];

function HelpDialog() {
  return (
    <Sheet title="Keyboard shortcuts" class="help">
      <SheetHead title="Keyboard shortcuts" />
      <div class="keys">
        {SHORTCUTS.map(([title, keys]) => (
          <section key={title}>
            <h3>{title}</h3>
            <dl class="facts">
              {keys.map(([each, does]) => (
                <div class="pair" key={each}>
                  <dt>
                    {each.split(' ').map((key) => (
                      <kbd key={key}>{key}</kbd>
                    ))}
                  </dt>
                  <dd>{does}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <Letters />
      <p class="muted small">No shortcut changes anything in AWS.</p>
    </Sheet>
  );
}

function Letters() {
  return (
    <label class="check">
      <input type="checkbox" checked={lettersOn.value} onChange={(event) => setLetters(event.currentTarget.checked)} />
      Shortcuts of one letter
    </label>
  );
}

/** What the bottom bar of a narrow window has no room for. */
function MoreDialog() {
  const whoami = useWhoAmI();
  return (
    <Sheet title="More">
      <SheetHead title="More" />
      <nav class="menu" aria-label="More pages">
        {PAGES.filter(({ more }) => more).map(({ href, icon, title }) => (
          <Link key={href} href={href} onClick={close}>
            <Icon name={icon} />
            {title}
          </Link>
        ))}
      </nav>
      <label class="check">
        <input
          type="checkbox"
          checked={zone.value === 'local'}
          onChange={(event) => setZone(event.currentTarget.checked ? 'local' : 'UTC')}
        />
        Times in my time zone
      </label>
      <Letters />
      {whoami !== null && (
        <dl class="facts">
          <dt>Signed in</dt>
          <dd>{whoami.actor}</dd>
          <dt>Role</dt>
          <dd>{whoami.role}</dd>
          <dt>Rollcall</dt>
          <dd>
            {whoami.version}, {whoami.runtime}
          </dd>
        </dl>
      )}
    </Sheet>
  );
}
