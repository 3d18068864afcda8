import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { post } from '../api.ts';
import { OPERATE, READ } from '../endpoints.ts';
import { changedHere } from '../live.ts';
import { useResource } from '../resource.ts';
import type { WhoAmI } from '../types.ts';
import { count } from '../words.ts';
import { Confirm, ReasonField, textOf } from './dialog.tsx';

/** The result of the last command, visible and announced to screen readers. */
const result = signal<string | null>(null);

export function CommandResult() {
  return (
    <div role="status" aria-live="polite">
      {result.value !== null && (
        <div class="notice">
          {result.value}{' '}
          <button
            type="button"
            class="sort"
            aria-label="Dismiss"
            onClick={() => {
              result.value = null;
            }}
          >
            ✕
          </button>
        </div>
      )}
    </div>
  );
}

/** Whether the reader may operate; `false` until the API has answered. */
export function useMayOperate(): boolean {
  return useResource<WhoAmI>(READ.whoami).data?.role === 'operate';
}

interface OperationProps {
  readonly label: string;
  readonly title: string;
  readonly path: string;
  readonly danger?: boolean;
  readonly primary?: boolean;
  /** The request body. Throws an error with a message for people if the form is invalid. */
  readonly body: (form: FormData) => unknown;
  readonly done: string;
  readonly children?: ComponentChildren;
}

/**
 * The command of the open dialog, as it was when its button was pressed. The page behind the dialog keeps updating, so by the time the
 * reader has written a reason it may show another plan or none.
 */
const pending = signal<OperationProps | null>(null);

/** A button that opens the dialog of a command. */
function Operation(props: OperationProps) {
  return (
    <button
      type="button"
      class={props.primary === true ? '' : 'secondary outline'}
      onClick={() => {
        pending.value = props;
      }}
    >
      {props.label}
    </button>
  );
}

/** The dialog of the command whose button was pressed. */
export function CommandDialog() {
  if (pending.value === null) return null;
  const { label, title, path, danger = false, body, done, children } = pending.value;
  return (
    <Confirm
      title={title}
      action={label}
      danger={danger}
      onClose={() => {
        pending.value = null;
      }}
      onConfirm={async (form) => {
        await post(path, body(form));
        result.value = done;
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
      done="Scan requested. It starts within seconds."
    >
      <p>Drift is remediated as the policy declares, within its guardrails and change windows.</p>
      <ReasonField required={false} />
    </Operation>
  );
}

export function Halt({ halted }: { readonly halted: boolean }) {
  return halted ? (
    <Operation
      label="Resume changes"
      title="Resume changes in the organization?"
      path={OPERATE.unhalt}
      body={() => ({})}
      done="Changes are resumed."
    >
      <p>Queued accounts are checked again and changed where the policy still requires it.</p>
    </Operation>
  ) : (
    <Operation
      label="Halt"
      title="Stop all changes in the organization?"
      path={OPERATE.halt}
      danger
      body={(form) => ({ reason: textOf(form, 'reason') })}
      done="Changes are halted until you resume them."
    >
      <p>
        This is the kill switch. Calls already sent to AWS complete, and no further change is made. Scans continue to
        report drift.
      </p>
      <ReasonField />
    </Operation>
  );
}

/** Suspends accounts from enforcement. Without a `selector`, the dialog asks for one. */
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
      <p>Suspended accounts are scanned but not changed.</p>
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
        <small>A date (end of day, UTC), a time or a duration. Empty: until resumed.</small>
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
      <p>The policy applies to these accounts again.</p>
    </Operation>
  );
}

/** Allows a stopped plan to exceed the change cap. */
export function Approve({ planHash, changes }: { readonly planHash: string; readonly changes: number | null }) {
  return (
    <Operation
      label="Approve"
      title={changes === null ? 'Approve this plan?' : `Approve this plan of ${count(changes, 'change')}?`}
      path={OPERATE.approve}
      primary
      body={(form) => ({ planHash, reason: textOf(form, 'reason') })}
      done="Plan approved. A run that makes exactly its changes starts within seconds."
    >
      <p>
        Approval allows exactly the changes of plan <code>{planHash.slice(0, 12)}</code> to exceed the change cap, once,
        within 24 hours. The opt-out cap, change windows, suspensions and the kill switch still apply.
      </p>
      <ReasonField />
    </Operation>
  );
}

export function Redrive({ ids }: { readonly ids: readonly string[] }) {
  return (
    <Operation
      label="Redrive all"
      title={`Put ${count(ids.length, 'dead letter')} back on the queue?`}
      path={OPERATE.redrive}
      body={(form) => ({ ids, reason: textOf(form, 'reason') })}
      done="The dead letters are back on the queue."
    >
      <p>Each message is processed again from the start. Fix the cause first.</p>
      <ReasonField required={false} />
    </Operation>
  );
}
