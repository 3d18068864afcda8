import { type CheckResult, fail, pass, quoted } from '../../domain/doctor-checks.ts';
import type { OutboxView } from '../notifications/outbox-state.ts';

/** Checks the event bus by the entries that wait for it. */
export function outboxResult(outbox: OutboxView | null, bus: string): CheckResult {
  if (outbox === null) return pass(`no entry has waited for more than 5 minutes for event bus ${bus}`);
  const { overdue, more, oldestAt, refusal } = outbox;
  const many = `${more ? 'more than ' : ''}${overdue} ${overdue === 1 ? 'entry waits' : 'entries wait'}`;
  const found = `${many} for event bus ${bus}, the oldest since ${oldestAt}`;
  if (refusal === null) {
    return fail(
      'missing',
      `${found}. The bus has not refused any, so no process publishes: run the tick function or serve.`,
    );
  }
  const { at, code, message } = refusal;
  const commands = [`aws events describe-event-bus --name ${quoted(bus)}`];
  return fail(
    'wrong',
    `${found}. Last refusal at ${at}: ${code}: ${message}. The bus must exist and allow events:PutEvents to the publisher:`,
    commands,
  );
}
