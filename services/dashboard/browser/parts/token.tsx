import { tokenRefused, tokenWanted, useToken } from '../api.ts';
import { Confirm, textOf } from './dialog.tsx';

/** Asks for the bearer token if the API requires one. */
export function TokenDialog() {
  if (!tokenWanted.value) return null;
  return (
    <Confirm
      title="Token required"
      action="Continue"
      onClose={() => {
        tokenWanted.value = false;
      }}
      onConfirm={async (form) => {
        const text = textOf(form, 'token');
        if (text === null) throw new Error('Enter the token that you received from the administrator of Rollcall.');
        useToken(text);
      }}
    >
      {tokenRefused.value === null ? (
        <p>Rollcall requires a token, and this tab has none yet.</p>
      ) : (
        <p class="problem" role="alert">
          {tokenRefused.value}
        </p>
      )}
      <label>
        Token
        <input name="token" type="password" required autoComplete="off" />
        <small>Kept until you close this tab.</small>
      </label>
    </Confirm>
  );
}
