import type { ApiTokens } from '../../../shared/config/api-env.ts';
import { ApiProblem } from '../problem.ts';
import type { Principal } from '../system.ts';

/** Identifies the caller by its bearer token. @throws ApiProblem 401 */
export function bearer(headers: Headers, tokens: ApiTokens, now: number): Principal {
  const [, token] = /^Bearer +([A-Za-z0-9._~+/=-]{1,512})$/i.exec(headers.get('authorization') ?? '') ?? [];
  if (token === undefined) {
    throw unauthorized('TokenMissing', 'Send a token: Authorization: Bearer TOKEN.', '');
  }
  const found = tokens.check(token, now);
  if (found.ok) return { actor: `token:${found.name}`, role: found.role };
  const message = found.expired ? 'The token has expired; ask for a new one.' : 'The token is not valid.';
  throw unauthorized(found.expired ? 'TokenExpired' : 'TokenUnknown', message, ', error="invalid_token"');
}

function unauthorized(code: string, message: string, more: string): ApiProblem {
  return new ApiProblem(401, code, message, { headers: { 'www-authenticate': `Bearer realm="rollcall"${more}` } });
}
