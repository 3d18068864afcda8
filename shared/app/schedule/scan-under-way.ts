import { toIso } from '../../domain/time.ts';
import type { Registers } from '../../ports/registers.ts';
import type { Clock } from '../../ports/system.ts';
import { leaseHolder } from '../coordination/lease.ts';
import { REQUESTED_SILENCE_MS, SCAN_LEASE, scanNow } from './scan-schedule.ts';

/** A requested or running scan. The shape of `scanning` in `status --json`. */
export interface ScanUnderWay {
  /** `null`: the scan is part of an `apply`, which has no schedule. */
  readonly runId: string | null;
  /** `requested`: no process has begun it. `running`: a process holds its lease. `interrupted`: the next tick continues it. */
  readonly state: 'requested' | 'running' | 'interrupted';
  /** The process that runs it; `null`: none. */
  readonly holder: string | null;
  /** When another process may continue the scan unless its lease is renewed, ISO 8601; `null`: now. */
  readonly until: string | null;
}

/** The requested or running scan; `null`: none. */
export async function scanUnderWay(deps: {
  readonly registers: Registers;
  readonly clock: Pick<Clock, 'now'>;
}): Promise<ScanUnderWay | null> {
  const { registers, clock } = deps;
  const lease = await leaseHolder(registers, clock, SCAN_LEASE);
  const known = (await scanNow(registers))?.value ?? null;
  const runId = known === null || known.state === 'done' ? null : known.runId;
  if (lease !== null) {
    const ofRun = known?.state === 'running' ? runId : null;
    return { runId: ofRun, state: 'running', holder: lease.holder, until: toIso(lease.until) };
  }
  if (known === null || runId === null) return null;
  if (known.state === 'running') return { runId, state: 'interrupted', holder: null, until: null };
  const until = known.aliveAt + REQUESTED_SILENCE_MS;
  return { runId, state: 'requested', holder: null, until: until > clock.now() ? toIso(until) : null };
}
