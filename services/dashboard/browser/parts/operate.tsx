import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { post } from '../api.ts';
import { OPERATE, READ } from '../endpoints.ts';
import { changedHere } from '../live.ts';
import { useResource } from '../resource.ts';
import type { WhoAmI } from '../types.ts';
import { Confirm, ReasonField, textOf } from './dialog.tsx';

/** What was done last, for everybody to see and parseCloudTrailEvent. */
const told = signal<string | null>(null);

export function Told() {
  return (
    <div role="status" aria-live="polite">
      {told.value !== null && (
        <div class="notice">
          {told.value}{' '}
          <button
            type="button"
            class="sort"
            aria-label="Dismiss"
            onClick={() => {
              told.value = null;
            }}
          >
            ✕
          </button>
        </div>
      )}
    </div>
  );
}

/** Whether the reader may operate; until it is known, nothing is offered. */
export function useMayOperate(): boolean {
  return useResource<WhoAmI>(READ.whoami).data?.role === 'operate';
}

interface OperationProps {
  readonly label: string;
  readonly title: string;
  readonly path: string;
  readonly danger?: boolean;
  readonly primary?: boolean;
  /** What is sent; throws a sentence for people if the form does not do. */
  readonly body: (form: FormData) => unknown;
  readonly done: string;
  readonly children?: ComponentChildren;
}

/**
 * What is being asked, as it was when its button was pressed: the page beneath goes on, and what stood there may have become another plan
 * or have gone by the time somebody has written a reason.
 */
const asked = signal<OperationProps | null>(null);

/** A button that asks, sends, and tells. */
function Operation(props: OperationProps) {
  return (
    <button
      type="button"
      class={props.primary === true ? '' : 'secondary outline'}
      onClick={() => {
        asked.value = props;
      }}
    >
      {props.label}
    </button>
  );
}

/** The question of whichever button was pressed. */
export function Asked() {
  if (asked.value === null) return null;
  const { label, title, path, danger = false, body, done, children } = asked.value;
  return (
    <Confirm
      title={title}
      action={label}
      danger={danger}
      onClose={() => {
        asked.value = null;
      }}
      onConfirm={async (form) => {
        await post(path, body(form));
        told.value = done;
        changedHere();
      }}
    >
      {children}
    </Confirm>
  );
}

export function ScanNow() {
  return (
    <Operation
      label="Scan now"
      title="Scan the whole organization now?"
      path={OPERATE.scan}
      body={(form) => ({ reason: textOf(form, 'reason') })}
      done="A scan was asked for; it begins within seconds."
    >
      <p>What has drifted is put right as the policy says, within its guardrails and windows.</p>
      <ReasonField required={false} />
    </Operation>
  );
}

export function Halt({ halted }: { readonly halted: boolean }) {
  return halted ? (
    <Operation
      label="Lift the halt"
      title="Let changes be made again?"
      path={OPERATE.unhalt}
      body={() => ({})}
      done="Enforcement goes on."
    >
      <p>What waits on the queue is looked at again, and changed where it still has to be.</p>
    </Operation>
  ) : (
    <Operation
      label="Halt"
      title="Stop every change in the organization?"
      path={OPERATE.halt}
      danger
      body={(form) => ({ reason: textOf(form, 'reason') })}
      done="Enforcement is halted: no change is made until the halt is lifted."
    >
      <p>The kill switch: calls that have left are finished, no other one is made. Scans go on and tell of drift.</p>
      <ReasonField />
    </Operation>
  );
}

/** Suspends accounts from enforcement; `selector` if it is known already. */
export function Suspend({ selector }: { readonly selector?: string }) {
  return (
    <Operation
      label="Suspend"
      title={selector === undefined ? 'Suspend accounts' : `Suspend ${selector}?`}
      path={OPERATE.suspend}
      body={(form) => ({
        selector: selector ?? textOf(form, 'selector'),
        reason: textOf(form, 'reason'),
        until: textOf(form, 'until'),
      })}
      done={selector === undefined ? 'Suspended.' : `${selector} is suspended.`}
    >
      <p>Suspended accounts are watched and not changed.</p>
      {selector === undefined && (
        <label>
          Accounts
          <input name="selector" type="text" required autoComplete="off" placeholder="ou:/Sandbox" />
          <small>Account ids, ou:/Path, tag:key=value, name:glob, or all</small>
        </label>
      )}
      <ReasonField />
      <label>
        Until
        <input name="until" type="text" autoComplete="off" placeholder="2h, or 2027-01-31" />
        <small>A day (its end, UTC), a time, or a duration. Empty: until resumed.</small>
      </label>
    </Operation>
  );
}

export function Resume({ selector }: { readonly selector: string }) {
  return (
    <Operation
      label="Resume"
      title={`Resume ${selector}?`}
      path={OPERATE.resume}
      body={() => ({ selector })}
      done={`${selector} is resumed.`}
    >
      <p>Its accounts are enforced again as the policy says.</p>
    </Operation>
  );
}

/** Lets a stopped plan past `maxChanges`. */
export function Approve({ planHash, changes }: { readonly planHash: string; readonly changes: number | null }) {
  return (
    <Operation
      label="Approve"
      title={changes === null ? 'Approve this plan?' : `Approve this plan of ${changes} changes?`}
      path={OPERATE.approve}
      primary
      body={(form) => ({ planHash, reason: textOf(form, 'reason') })}
      done="The plan is approved; a run that makes exactly its changes begins within seconds."
    >
      <p>
        Exactly the changes of plan <code>{planHash.slice(0, 12)}</code> are let past the cap, once, within 24 hours.
        Opt-outs, windows, suspensions and the kill switch stay as they are.
      </p>
      <ReasonField />
    </Operation>
  );
}

export function Redrive({ ids }: { readonly ids: readonly string[] }) {
  return (
    <Operation
      label="Redrive all"
      title={`Put ${ids.length} dead letters back on the queue?`}
      path={OPERATE.redrive}
      body={(form) => ({ ids, reason: textOf(form, 'reason') })}
      done="The dead letters are back on the queue."
    >
      <p>Each is looked at again from the start. Do this once what stood in the way has been mended.</p>
      <ReasonField required={false} />
    </Operation>
  );
}
