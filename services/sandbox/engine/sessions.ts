import { type Random, randomText } from './random.ts';
import type { RoleSession } from './types.ts';

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const TOKEN = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
/** Marks the keys that this sandbox issued, so that a forgotten key is rejected instead of being treated as a user's key. */
const KEY_PREFIX = 'ASIASANDBOX';

export type IssuedCredentials = {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
  expiresAt: number;
};
export type Session = { accountId: string; role: RoleSession; sessionToken: string; expiresAt: number };

/** Credentials that AssumeRole issued. They survive a reset of the organization, because clients cache them. */
export class Sessions {
  readonly #sessions = new Map<string, Session>();
  readonly #random: Random;
  #issued = 0;
  #sweepAt = 4096;

  constructor(random: Random) {
    this.#random = random;
  }

  static issuedHere(accessKeyId: string): boolean {
    return accessKeyId.startsWith(KEY_PREFIX);
  }

  issue(accountId: string, role: RoleSession, expiresAt: number, now: number): IssuedCredentials {
    this.#sweep(now);
    this.#issued += 1;
    const serial = this.#issued.toString(32).toUpperCase().padStart(5, '0').slice(-5);
    const accessKeyId = `${KEY_PREFIX}${serial}${randomText(this.#random, BASE32, 4)}`;
    const sessionToken = randomText(this.#random, TOKEN, 64);
    this.#sessions.set(accessKeyId, { accountId, role, sessionToken, expiresAt });
    return { accessKeyId, secretAccessKey: randomText(this.#random, TOKEN, 40), sessionToken, expiresAt };
  }

  find(accessKeyId: string): Session | undefined {
    return this.#sessions.get(accessKeyId);
  }

  /** Deletes sessions that expired more than a day ago. Until then the error is "expired", not "unknown". */
  #sweep(now: number): void {
    if (this.#sessions.size < this.#sweepAt) return;
    for (const [key, session] of this.#sessions) if (session.expiresAt + 86_400_000 < now) this.#sessions.delete(key);
    this.#sweepAt = Math.max(4096, this.#sessions.size * 2);
  }
}
