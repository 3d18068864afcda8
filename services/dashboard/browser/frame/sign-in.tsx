import { useState } from 'preact/hooks';
import { tokenRefused, useToken } from '../api.ts';
import { textOf } from '../parts/dialog.tsx';
import { Problem } from '../parts/small.tsx';

/** Without a token, the dashboard shows this page and nothing else. */
export function SignIn() {
  const [problem, setProblem] = useState<string | null>(null);
  return (
    <main id="main" class="sign-in" tabIndex={-1}>
      <form
        class="panel"
        onSubmit={(event) => {
          event.preventDefault();
          const text = textOf(new FormData(event.currentTarget), 'token');
          if (text === null) setProblem('Enter the token that you received from the administrator of Rollcall.');
          else useToken(text);
        }}
      >
        <img class="logo" src="/icon.svg" alt="" />
        <h1>Sign in to Rollcall</h1>
        <p class="muted">Rollcall requires a token. Its administrator can give you one.</p>
        <label class="field">
          <span>Token</span>
          <span class="input">
            <input name="token" type="password" required autoComplete="off" />
          </span>
        </label>
        <Problem text={problem ?? tokenRefused.value} />
        <button type="submit" class="btn primary">
          Sign in
        </button>
        <p class="muted small">The token is kept in this tab until you close it.</p>
      </form>
    </main>
  );
}
