import { tokenRefused, tokenWanted, useToken } from '../api.ts';
import { Confirm, textOf } from './dialog.tsx';

/** Asks for the bearer token where the API wants one. */
export function TokenDialog() {
  if (!tokenWanted.value) return null;
  return (
    <Confirm
      title="A token is needed"
      action="Go on"
      onClose={() => {
        tokenWanted.value = false;
      }}
      onConfirm={async (form) => {
        const text = textOf(form, 'token');
        if (text === null) throw new Error('Give the token that whoever runs Rollcall has handed to you.');
        useToken(text);
      }}
    >
      {tokenRefused.value === null ? (
        <p>Rollcall answers only those who send one, and this tab has none yet.</p>
      ) : (
        <p class="problem" role="alert">
          {tokenRefused.value}
        </p>
      )}
      <label>
        Token
        <input name="token" type="password" required autoComplete="off" />
        <small>It is kept until this tab is closed.</small>
      </label>
    </Confirm>
  );
}
