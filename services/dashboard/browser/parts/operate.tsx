import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { post } from '../api.ts';
import { OPERATE } from '../endpoints.ts';
import { announce } from '../frame/announce.tsx';
import { useMayOperate, useStatus } from '../frame/source.ts';
import { changedHere } from '../live.ts';
import { replacedText } from '../suspension-text.ts';
import type { Suspension } from '../types.ts';
import { count, messageOf } from '../words.ts';
import { Confirm, ReasonField, TextField, textOf } from './dialog.tsx';
import { Icon, Mark } from './icon.tsx';
import { now } from './time.tsx';

/** The result of the last command. */
const result = signal<string | null>(null);

export function CommandResult() {
  return result.value === null ? null : (
    <p class="toast done">
      <Mark name="compliant" />
      <span>{result.value}</span>
      <button
        type="button"
        class="icon-btn"
        aria-label="Dismiss"
        onClick={() => {
          result.value = null;
        }}
      >
        <Icon name="x" />
      </button>
    </p>
  );
}

/** A command with its dialog. */
interface Command {
  readonly title: string;
  /** Label of the button that confirms. */
  readonly action: string;
  readonly path: string;
  readonly danger?: boolean;
  /** The request body. Throws an error with a message for people if the form is invalid. */
  readonly body: (form: FormData) => unknown;
  readonly done: string;
  readonly children?: ComponentChildren;
}

interface OperationProps extends Command {
  /** Label of the button that opens the dialog; default: the action and an ellipsis. */
  readonly label?: string;
  readonly look?: 'primary' | 'danger' | 'tiny';
}

/**
 * The command of the open dialog, as it was when its button was pressed. The page behind the dialog keeps updating, so by the time the
 * reader has written a reason it may show another plan or none.
 */
const pending = signal<Command | null>(null);

/** Opens the dialog of a command. */
function ask(command: Command): void {
  pending.value = command;
}

/**
 * A button that opens the dialog of a command. Without the role for it, it is disabled.
 * @public
 */
export function Operation({ label, look, ...command }: OperationProps) {
  const mayOperate = useMayOperate();
  return (
    <button
      type="button"
      class={look === undefined ? 'btn' : `btn ${look}`}
      disabled={!mayOperate}
      aria-describedby={mayOperate ? undefined : 'role-note'}
      onClick={() => ask(command)}
    >
      {look === 'danger' && <Icon name="stop" />}
      {label ?? `${command.action}…`}
    </button>
  );
}

/** The dialog of the command whose button was pressed. */
export function CommandDialog() {
  if (pending.value === null) return null;
  const { action, title, path, danger = false, body, done, children } = pending.value;
  return (
    <Confirm
      title={title}
      action={action}
      danger={danger}
      onClose={() => {
        pending.value = null;
      }}
      onConfirm={async (form) => {
        // Only the answer to a suspension has this field.
        const { replaced = null } = await post<Partial<Suspension>>(path, body(form));
        showResult(`${done}${replacedText(replaced, now.value)}`);
        changedHere();
      }}
    >
      {children}
    </Confirm>
  );
}

/** Shows and announces the result of a command. */
export function showResult(text: string): void {
  result.value = text;
  announce(text);
}

/** Runs a command that needs no confirmation, and shows its result. */
export async function perform(path: string, body: unknown, done: string): Promise<void> {
  try {
    await post(path, body);
    showResult(done);
    changedHere();
  } catch (error) {
    showResult(messageOf(error));
  }
}

const SCAN: Command = {
  title: 'Scan the whole organization now?',
  action: 'Scan now',
  path: OPERATE.scan,
  body: (form) => ({ reason: textOf(form, 'reason') }),
  done: 'Scan requested. It starts within seconds.',
  children: (
    <>
      <ScanEffect />
      <ReasonField required={false} />
    </>
  ),
};

const useHalted = (): boolean => (useStatus().data?.halted ?? null) !== null;

function ScanEffect() {
  const halted = useHalted();
  return (
    <p>
      {halted
        ? 'Remediation is halted: the scan records drift and changes nothing until you resume.'
        : 'Drift is remediated as the policy declares, within its guardrails and change windows.'}
    </p>
  );
}

const HALT: Command = {
  title: 'Halt remediation?',
  action: 'Halt remediation',
  path: OPERATE.halt,
  danger: true,
  body: (form) => ({ reason: textOf(form, 'reason') }),
  done: 'Remediation is halted until you resume it.',
  children: (
    <>
      <p>This stops all changes in the organization. Calls already sent will finish. Scans and alerts continue.</p>
      <ReasonField />
    </>
  ),
};

const RESUME_ALL: Command = {
  title: 'Resume remediation?',
  action: 'Resume remediation',
  path: OPERATE.unhalt,
  body: () => ({}),
  done: 'Remediation is resumed.',
  children: <p>Queued accounts are checked again and changed where the policy still requires it.</p>,
};

export const askScan = (): void => ask(SCAN);
export const askHalt = (halted: boolean): void => ask(halted ? RESUME_ALL : HALT);

interface ScanNowProps {
  readonly label?: string;
  readonly look?: 'primary' | 'tiny';
}

export function ScanNow({ label = 'Scan now', ...look }: ScanNowProps) {
  return <Operation {...SCAN} {...look} label={label} />;
}

/** The kill switch: stops all changes, or ends the halt. */
export function Halt({ halted }: { readonly halted: boolean }) {
  return halted ? <Operation {...RESUME_ALL} look="primary" /> : <Operation {...HALT} look="danger" />;
}

/** Suspends accounts from enforcement. Without a `selector`, the dialog asks for one. */
export function Suspend({ selector }: { readonly selector?: string }) {
  return (
    <Operation
      action="Suspend"
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
        <TextField
          {...{ label: 'Accounts', name: 'selector', required: true, placeholder: 'ou:/Sandbox' }}
          hint="Account ids, ou:/Path, tag:key=value, name:glob, or all"
        />
      )}
      <ReasonField />
      <TextField
        {...{ label: 'Until', name: 'until', placeholder: '2h, or 2027-01-31' }}
        hint="A date (end of day, UTC), a time or a duration. Empty: until resumed."
      />
    </Operation>
  );
}

export function Resume({ selector }: { readonly selector: string }) {
  return (
    <Operation
      action="Resume"
      title={`Resume ${selector}?`}
      path={OPERATE.resume}
      body={() => ({ selector })}
      done={`${selector} is resumed.`}
    >
      <p>The policy applies to these accounts again.</p>
    </Operation>
  );
}

interface ApproveProps {
  readonly planHash: string;
  /** `null`: not known. */
  readonly changes: number | null;
  /** Organization enrollment configurations of somebody else that the plan changes; `null`: not known. */
  readonly configurations: number | null;
}

function configurationsText(configurations: number | null): string {
  if (configurations === null)
    return ' The approval also allows changing any organization enrollment configurations in the plan that somebody else set.';
  if (configurations === 0) return '';
  return ` The approval also allows changing ${count(configurations, 'organization enrollment configuration')} set by somebody else.`;
}

/** Allows a stored plan to exceed the change cap, and to change configurations of somebody else. */
export function Approve({ planHash, changes, configurations }: ApproveProps) {
  const starts = useHalted() ? 'after you resume remediation' : 'within seconds';
  return (
    <Operation
      action="Approve plan"
      title={changes ? `Approve this plan of ${count(changes, 'change')}?` : 'Approve this plan?'}
      path={OPERATE.approve}
      look="primary"
      body={(form) => ({ planHash, reason: textOf(form, 'reason') })}
      done={`Plan approved. A run that makes exactly its changes starts ${starts}.`}
    >
      <p>
        An approval is valid for one run within 24 hours. The run makes only the changes of plan{' '}
        <code>{planHash.slice(0, 12)}</code>, even beyond the change cap or after a failed canary.
        {configurationsText(configurations)} The opt-out cap, change windows, suspensions and the kill switch still
        apply.
      </p>
      <ReasonField />
    </Operation>
  );
}

interface RedriveProps {
  readonly ids: readonly string[];
  readonly label?: string;
}

export function Redrive({ ids, label }: RedriveProps) {
  return (
    <Operation
      look="tiny"
      action="Redrive"
      {...(label !== undefined && { label })}
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
