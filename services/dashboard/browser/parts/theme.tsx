import { signal } from '@preact/signals';

type Theme = 'auto' | 'light' | 'dark';
const KEY = 'rollcall-theme';

const themeOf = (text: string | null): Theme => (text === 'light' || text === 'dark' ? text : 'auto');
const theme = signal<Theme>(themeOf(localStorage.getItem(KEY)));

export function applyTheme(): void {
  if (theme.value === 'auto') document.documentElement.removeAttribute('data-theme');
  else document.documentElement.setAttribute('data-theme', theme.value);
}

/** Light, dark, or the system's choice. */
export function ThemeChoice() {
  return (
    <label class="theme">
      <span class="hidden">Theme</span>
      <select
        value={theme.value}
        onChange={(event) => {
          theme.value = themeOf(event.currentTarget.value);
          localStorage.setItem(KEY, theme.value);
          applyTheme();
        }}
      >
        <option value="auto">System theme</option>
        <option value="light">Light</option>
        <option value="dark">Dark</option>
      </select>
    </label>
  );
}
