import type { AccountId } from '../../../domain/enrollment/model.ts';
import type { Clock } from '../../../ports/system.ts';
import type { Session } from './call-pipeline.ts';

/** A session is renewed this long before it ends, so that no call starts with credentials that are about to expire. */
export const RENEWAL_MARGIN_MS = 5 * 60_000;

/** Maximum number of cached sessions: the largest organization [Quotas for AWS Organizations], so sessions are hardly ever evicted. */
const DEFAULT_CAPACITY = 10_000;

export interface MemberSessions {
  /** The account's session. Assumes the role if there is none or it is about to end; callers at the same time share one request. */
  get(accountId: AccountId): Promise<Session>;
  /** Removes a session that AWS refused, unless the account already has a newer one. */
  drop(session: Session): void;
}

/** A session from AssumeRole, and when it ends (epoch ms). */
export interface AssumedSession {
  readonly session: Session;
  readonly expiresAt: number;
}

/** Caches the credentials of member roles until shortly before they expire. */
export function createMemberSessions(
  assume: (accountId: AccountId) => Promise<AssumedSession>,
  clock: Clock,
  capacity = DEFAULT_CAPACITY,
): MemberSessions {
  const cached = new Map<AccountId, AssumedSession>();
  const underway = new Map<AccountId, Promise<AssumedSession>>();

  async function renew(accountId: AccountId): Promise<AssumedSession> {
    const assumed = await assume(accountId);
    cached.delete(accountId);
    cached.set(accountId, assumed);
    // A map keeps the order of insertion, so its first key is the oldest session.
    const [oldest] = cached.size > capacity ? cached.keys() : [];
    if (oldest !== undefined) cached.delete(oldest);
    return assumed;
  }

  return {
    async get(accountId) {
      const known = cached.get(accountId);
      if (known !== undefined && known.expiresAt - clock.now() > RENEWAL_MARGIN_MS) return known.session;
      let renewal = underway.get(accountId);
      if (renewal === undefined) {
        renewal = renew(accountId).finally(() => underway.delete(accountId));
        underway.set(accountId, renewal);
      }
      return (await renewal).session;
    },

    drop(session) {
      const { accountId } = session;
      if (accountId !== null && cached.get(accountId)?.session === session) cached.delete(accountId);
    },
  };
}
