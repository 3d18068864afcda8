import { createHash, timingSafeEqual } from 'node:crypto';
import type { Environment } from './config.ts';
import { ConfigError } from './config-error.ts';

/** `events` may only send events of AWS; `operate` may do everything. */
export type ApiRole = 'read' | 'operate' | 'events';

/** A configured bearer token. Only its hash is kept in memory. */
interface KnownToken {
  readonly name: string;
  readonly role: ApiRole;
  /** When the token expires, epoch ms; `null`: never. */
  readonly endsAt: number | null;
  readonly digest: Buffer;
}

export type TokenCheck =
  | { readonly ok: true; readonly name: string; readonly role: ApiRole }
  | { readonly ok: false; readonly expired: boolean };

/** The bearer tokens of the HTTP API. They come from the environment, because every user of the machine can see a command's arguments. */
export class ApiTokens {
  readonly #tokens: readonly KnownToken[];

  constructor(tokens: readonly KnownToken[]) {
    this.#tokens = tokens;
  }

  /** Whether any token is configured. If so, each request needs one. */
  get configured(): boolean {
    return this.#tokens.length > 0;
  }

  /** Compares `token` with every known token, so that the time that this takes reveals nothing about the tokens. */
  check(token: string, now: number): TokenCheck {
    const digest = digestOf(token);
    let found: KnownToken | null = null;
    for (const known of this.#tokens) if (timingSafeEqual(known.digest, digest)) found = known;
    if (found === null) return { ok: false, expired: false };
    if (found.endsAt !== null && now >= found.endsAt) return { ok: false, expired: true };
    return { ok: true, name: found.name, role: found.role };
  }
}

const VARIABLES = {
  ROLLCALL_TOKEN_READ: 'read',
  ROLLCALL_TOKEN_OPERATE: 'operate',
  ROLLCALL_TOKEN_EVENTS: 'events',
} as const;
/** Minimum length of a token, characters. A shorter one could be guessed. */
const LEAST_LENGTH = 32;
const DAY_MS = 86_400_000;

/**
 * Reads {@link VARIABLES}. Each contains tokens, separated by commas: `TOKEN`, `NAME=TOKEN` or `NAME@2027-01-31=TOKEN` (the last day, UTC). The audit
 * log names the actor `token:NAME`. @throws ConfigError, which never shows a token
 */
export function readApiTokens(env: Environment): ApiTokens {
  const tokens: KnownToken[] = [];
  for (const [variable, role] of Object.entries(VARIABLES)) {
    const text = env[variable]?.trim() ?? '';
    const parts = text === '' ? [] : text.split(',');
    for (const [index, part] of parts.entries()) tokens.push(tokenOf(part.trim(), variable, index + 1, role));
  }
  const digests = new Set(tokens.map(({ digest }) => digest.toString('hex')));
  if (digests.size < tokens.length) {
    throw new ConfigError('Environment', 'Two tokens of the API are the same; each name and each role needs its own.');
  }
  return new ApiTokens(tokens);
}

function tokenOf(text: string, variable: string, place: number, role: ApiRole): KnownToken {
  const refuse = (problem: string): never => {
    throw new ConfigError('Environment', `${variable}, token ${place}: ${problem}.`);
  };
  const [, name = role, day, token = ''] = /^(?:([A-Za-z0-9._-]{1,64})(?:@([^=]*))?=)?([^=]+={0,2})$/.exec(text) ?? [];
  if (token === '') refuse('expected TOKEN, NAME=TOKEN or NAME@2027-01-31=TOKEN');
  if (token.length < LEAST_LENGTH) {
    const expected = `expected at least ${LEAST_LENGTH}; make one with \`openssl rand -hex 32\``;
    refuse(`it has ${token.length} characters, ${expected}`);
  }
  if (!/^[A-Za-z0-9._~+/=-]+$/.test(token)) refuse('it has a character that a bearer token cannot have');
  const starts = day === undefined ? null : Date.parse(`${day}T00:00:00Z`);
  const exists = starts === null || (/^\d{4}-\d{2}-\d{2}$/.test(day ?? '') && isDay(starts, day ?? ''));
  if (!exists) refuse('its last day is not a date; expected for example NAME@2027-01-31=TOKEN');
  return { name, role, endsAt: starts === null ? null : starts + DAY_MS, digest: digestOf(token) };
}

const isDay = (ms: number, text: string): boolean => !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text);

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
