import type { AssessContext } from '../../domain/decision/assess-context.ts';
import {
  type Act,
  type CompiledControls,
  type Controls,
  compileControls,
  controlsSchema,
  halted,
  NO_CONTROLS,
  type OperatorSuspension,
  type Resumption,
  resumed,
  suspended,
  unhalted,
} from '../../domain/decision/operator-controls.ts';
import { ENROLLMENT_IDS, type EnrollmentId } from '../../domain/enrollment/kinds/index.ts';
import type { EpochMs } from '../../domain/enrollment/model.ts';
import type { Assessment } from '../../domain/enrollment/verdict.ts';
import type { OperatorSelector, OrganizationAccount } from '../../domain/policy/index.ts';
import type { Registers } from '../../ports/registers.ts';
import type { Clock, NewId } from '../../ports/system.ts';
import { REGISTERS, storedDocument } from '../coordination/documents.ts';
import { readTyped, update } from '../coordination/typed-register.ts';

/** The register with the kill switch and the suspensions. */
export const CONTROLS = storedDocument(REGISTERS.controls, controlsSchema);

/** @throws DamagedRegisterError */
export async function readControls(registers: Registers): Promise<Controls> {
  return (await readTyped(registers, CONTROLS))?.value ?? NO_CONTROLS;
}

/** Changes with every halt, suspension and their end, and with a restore, which always halts. `null`: no operator has ever acted. */
export async function controlsVersion(registers: Registers): Promise<string | null> {
  return (await registers.read(CONTROLS.name))?.version ?? null;
}

const RECENT_MS = 1_000;

/** The operator controls for frequent readers: compiled only when they have changed. */
export class ControlsView {
  readonly #registers: Registers;
  readonly #clock: Clock;
  #readAt = Number.NEGATIVE_INFINITY;
  #version: string | null = null;
  #compiled: CompiledControls = compileControls(NO_CONTROLS);

  constructor(registers: Registers, clock: Clock) {
    this.#registers = registers;
    this.#clock = clock;
  }

  /** The controls as last read. */
  get last(): CompiledControls {
    return this.#compiled;
  }

  /** The controls, at most one second old. Only for frequent, reversible decisions. */
  async recent(): Promise<CompiledControls> {
    return this.#clock.now() - this.#readAt < RECENT_MS ? this.#compiled : this.now();
  }

  /** Reads the controls from the store. */
  async now(): Promise<CompiledControls> {
    const readAt = this.#clock.now();
    const known = await readTyped(this.#registers, CONTROLS);
    const version = known?.version ?? null;
    this.#readAt = readAt;
    if (version !== this.#version) {
      this.#compiled = compileControls(known?.value ?? NO_CONTROLS);
      this.#version = version;
    }
    return this.#compiled;
  }
}

/** The part of the controls that assessments at `now` (epoch ms) need. */
export function underControls(
  controls: CompiledControls,
  now: EpochMs,
): Pick<AssessContext, 'suspensionOf' | 'halted'> {
  return { suspensionOf: (account) => controls.suspensionOf(account, now), halted: controls.halt !== null };
}

/** False if the account was suspended or resumed after the assessments were made. */
export function isValidUnder(
  controls: CompiledControls,
  now: EpochMs,
  account: OrganizationAccount,
  assessments: Readonly<Record<EnrollmentId, Pick<Assessment, 'verdict'>>>,
): boolean {
  const suspended = controls.suspensionOf(account, now) !== null;
  return ENROLLMENT_IDS.map((id) => assessments[id]).every(({ verdict }) => {
    const unaffected = verdict === 'NotApplicable' || verdict === 'Unmanaged';
    return unaffected || (verdict === 'Suspended') === suspended;
  });
}

export interface OperatorDeps {
  readonly registers: Registers;
  readonly clock: Clock;
  readonly newId: NewId;
  /** An ARN if known, else the operating system's user. */
  readonly actor: string;
}

/** Keeps the document well below DynamoDB's item limit of 400 KB. */
const MAX_CHARS = 150_000;

/** The command cannot be applied to the current controls, which the message describes. */
export class ControlsError extends Error {
  override readonly name = 'ControlsError';
  readonly code: 'NotSuspended' | 'TooManySuspensions' | 'NotKept';

  constructor(code: ControlsError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

const actOf = ({ newId, clock, actor }: OperatorDeps): Act => ({ id: newId(), at: clock.now(), by: actor });

function change(deps: OperatorDeps, next: (controls: Controls) => Controls): Promise<Controls> {
  return update(deps.registers, CONTROLS, (current) => next(current ?? NO_CONTROLS));
}

/**
 * Reads the controls back, so that success is reported only if the store has them. A foreign trigger in the database file, for
 * example, can undo a write.
 * @throws ControlsError `NotKept`
 */
async function assertKept(deps: OperatorDeps, what: string, isKept: (controls: Controls) => boolean): Promise<void> {
  if (isKept(await readControls(deps.registers))) return;
  throw new ControlsError(
    'NotKept',
    `${what} was written, but is missing when read back: another operator lifted it at the same moment, or something ` +
      'undoes writes to the store. Check `rollcall status`; if it is not in force, stop every Rollcall process on this store.',
  );
}

/**
 * Sets the kill switch for every process on this store. @returns whether this call set it, and the controls as stored.
 * @throws ControlsError `NotKept` if the store does not show it afterwards.
 */
export async function halt(
  deps: OperatorDeps,
  reason: string | null,
): Promise<{ readonly changed: boolean; readonly controls: Controls }> {
  const act = actOf(deps);
  const controls = await change(deps, (current) => halted(current, act, reason));
  await assertKept(deps, 'The halt', ({ halt: kept }) => kept !== null);
  return { changed: controls.halt?.id === act.id, controls };
}

/** Ends the halt. @returns whether enforcement was halted. */
export async function unhalt(deps: OperatorDeps): Promise<boolean> {
  const act = actOf(deps);
  const controls = await change(deps, (current) => unhalted(current, act));
  return controls.notices.some(({ id }) => id === act.id);
}

/**
 * @returns the controls as stored, and the suspension of the same selector that this one replaced; `null`: none was in force
 * @throws ControlsError if the document would grow too large, or if the suspension is missing when read back.
 */
export async function suspend(
  deps: OperatorDeps,
  what: { readonly selector: OperatorSelector; readonly until: EpochMs | null; readonly reason: string | null },
): Promise<{ readonly controls: Controls; readonly replaced: OperatorSuspension | null }> {
  const act = actOf(deps);
  const { selector, until, reason } = what;
  const before: { replaced: OperatorSuspension | null } = { replaced: null };
  const controls = await change(deps, (current) => {
    before.replaced = current.suspensions.find((known) => known.selector === selector.text) ?? null;
    const next = suspended(current, act, { selector: selector.text, until, why: reason });
    if (JSON.stringify(next).length <= MAX_CHARS) return next;
    throw new ControlsError(
      'TooManySuspensions',
      'There are too many suspensions, or one names too many accounts. Name an OU, a tag or a name instead, or resume some.',
    );
  });
  // Another operator may have replaced the suspension of the same selector in the meantime.
  const isOurs = (known: OperatorSuspension): boolean =>
    known.selector === selector.text && (known.id === act.id || known.at >= act.at);
  await assertKept(deps, 'The suspension', ({ suspensions }) => suspensions.some(isOurs));
  const { replaced } = before;
  const hadEnded = replaced !== null && replaced.until !== null && replaced.until <= act.at;
  return { controls, replaced: hadEnded ? null : replaced };
}

/** @throws ControlsError if no suspension has this selector. */
export async function resume(
  deps: OperatorDeps,
  selector: OperatorSelector,
  reason: string | null = null,
): Promise<Resumption> {
  const act = actOf(deps);
  const outcome: { last: Resumption | null } = { last: null };
  await change(deps, (current) => {
    outcome.last = resumed(current, act, selector, reason);
    if (outcome.last.ended.length === 0) throw notSuspended(current, selector);
    return outcome.last.controls;
  });
  if (outcome.last === null) throw new Error('the controls were written, but no resumption was computed');
  return outcome.last;
}

function notSuspended({ suspensions }: Controls, selector: OperatorSelector): ControlsError {
  const known = suspensions.map((each) => each.selector);
  const those = known.length === 0 ? 'Nothing is suspended' : `Current suspensions: ${known.slice(0, 10).join(' · ')}`;
  return new ControlsError(
    'NotSuspended',
    `${selector.text} is not suspended. ${those}. End a suspension with the selector that set it, or with \`all\`.`,
  );
}
