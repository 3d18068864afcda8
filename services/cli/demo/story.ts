import type { Progress } from '../../../shared/app/context.ts';
import type { Plan } from '../../../shared/app/plan/plan.ts';
import type { Runtime } from '../../../shared/compose/runtime.ts';
import type { Trip } from '../../../shared/domain/decision/guardrails.ts';
import type { Sandbox } from '../../sandbox/engine/sandbox.ts';
import { reportOf } from '../errors.ts';
import type { LoadedPolicy } from '../session.ts';
import { count, duration } from '../ui/words.ts';
import { type Cast, castOf } from './cast.ts';
import { Contest } from './contest.ts';
import { CoolDown, Visitor } from './daily.ts';
import { Everyday } from './everyday.ts';
import { Incident } from './incident.ts';
import type { PolicyFile } from './policy.ts';
import { type Beat, type Disabled, isActive, shown } from './stage.ts';

const SECOND_MS = 1_000;
/** When each part of the story first plays, from its start, ms. The tour names these times. */
export const FIRST_MS = {
  everyday: 10 * SECOND_MS,
  coolDown: 35 * SECOND_MS,
  contest: 50 * SECOND_MS,
  incident: 180 * SECOND_MS,
  visitor: 1_200 * SECOND_MS,
} as const;
/** The pause after a beat that failed, ms. */
const FAILED_MS = 60 * SECOND_MS;

export interface StoryParts {
  readonly sandbox: Sandbox;
  readonly policy: PolicyFile;
  readonly say: (text: string) => void;
  readonly now: () => number;
  /** How a user runs Rollcall on the demo's store, for suggested commands. */
  readonly command: (words: string) => string;
}

/**
 * What happens in the simulated organization after it complies: people and programs change enrollments, and most of it is fixed within seconds. It
 * repeats without piling up: each part waits until what it caused before is fixed or settled.
 */
export class Story {
  readonly cast: Cast;
  readonly #parts: StoryParts;
  readonly #beats: { readonly beat: Beat; at: number }[];
  readonly #incident: Incident;
  /** The present drift of each account, until it is fixed. */
  readonly #drifts = new Map<string, { readonly enrollment: Disabled; readonly since: number }>();
  #held: string | null = null;

  constructor(parts: StoryParts) {
    this.#parts = parts;
    this.cast = castOf(parts.sandbox);
    const { everyday, coolDown, contested, burst } = this.cast;
    this.#incident = new Incident(burst, parts.policy);
    const start = parts.now();
    this.#beats = [
      { beat: new Everyday(everyday), at: start + FIRST_MS.everyday },
      { beat: new CoolDown(coolDown), at: start + FIRST_MS.coolDown },
      { beat: new Contest(contested), at: start + FIRST_MS.contest },
      { beat: this.#incident, at: start + FIRST_MS.incident },
      { beat: new Visitor(), at: start + FIRST_MS.visitor },
    ];
  }

  /** Plays under one policy until `end` aborts, and continues with the next call. A beat that fails is reported and tried again. */
  async play(app: Runtime, inForce: LoadedPolicy, end: AbortSignal): Promise<void> {
    const { sandbox, say } = this.#parts;
    const { clock } = app.deps;
    while (!end.aborted) {
      const next = this.#beats.reduce((first, each) => (each.at < first.at ? each : first));
      await clock.sleep(Math.max(0, next.at - clock.now()), end);
      if (end.aborted) return;
      try {
        const stage = { sandbox, app, inForce, say, frozen: this.#incident.underWay, drifted: this.#drifted };
        next.at = clock.now() + (await next.beat.play(stage));
      } catch (error) {
        next.at = clock.now() + FAILED_MS;
        if (!end.aborted) say(`the story pauses: ${reportOf(error).message}`);
      }
    }
  }

  readonly #drifted = (accountId: string, enrollment: Disabled): void =>
    void this.#drifts.set(accountId, { enrollment, since: this.#parts.now() });

  /** Reports what Rollcall did about an account of the story. */
  readonly worked = (event: Progress): void => {
    if (event.kind !== 'worked') return;
    const { accountId, outcome } = event;
    const [account] = this.#parts.sandbox.accounts(accountId);
    if (account === undefined) return;
    const drift = this.#drifts.get(accountId);
    if (outcome === 'resolved' && drift !== undefined && isActive(this.#parts, accountId, drift.enrollment)) {
      this.#drifts.delete(accountId);
      this.#parts.say(`  fixed: ${shown(account)}, after ${duration(this.#parts.now() - drift.since)}`);
    }
    if (outcome === 'blocked' && this.cast.contested.some((each) => each.accountId === accountId)) {
      const settle = this.#parts.command(`resume ${accountId}`);
      this.#parts.say(`  contested: ${shown(account)} stays as it is until you settle it: ${settle}`);
    }
  };

  /** Reports a plan that a guardrail has stopped, once. */
  readonly scanned = ({ trip, planHash, totals }: Plan): void => {
    const { say, command } = this.#parts;
    if (trip !== null && planHash !== this.#held) say(heldText({ trip, planHash, changes: totals.now }, command));
    this.#held = trip === null ? null : planHash;
  };
}

interface HeldPlan {
  readonly trip: Pick<Trip, 'reason' | 'message'>;
  readonly planHash: string;
  readonly changes: number;
}

/** Why the changes of a plan are not made, and how to allow them. */
export function heldText({ trip, planHash, changes }: HeldPlan, command: StoryParts['command']): string {
  const held = `  held up: ${count(changes, 'change')}`;
  if (trip.reason === 'maxChanges')
    return `${held} exceed maxChanges. Approve them on the overview, or: ${command(`approve ${planHash.slice(0, 12)}`)}`;
  if (trip.reason === 'halted') return `${held}, because changes are halted. To allow them: ${command('resume')}`;
  return `${held}: ${trip.message}`;
}
