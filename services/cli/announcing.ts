import type { Unpublished } from '../../shared/app/notifications/notifier.ts';
import type { App } from '../../shared/compose/process-runtime.ts';
import type { CompiledPolicy } from '../../shared/domain/policy/index.ts';
import type { CliContext } from './context.ts';
import { awsOf } from './session.ts';
import { count } from './ui/words.ts';

/**
 * Runs the work, and publishes and sends alerts in parallel without delaying it. Reports entries that are not on the event bus when the work is over.
 */
export async function announcing<T>(
  context: CliContext,
  { deps }: App,
  policy: CompiledPolicy,
  work: () => Promise<T>,
): Promise<T> {
  const aws = await awsOf(context);
  if (policy.policy.notify === null && aws === null) return work();
  const [{ announce, announceLast }, { openOutlets }] = await Promise.all([
    import('../../shared/app/notifications/notifier.ts'),
    import('../../shared/compose/notification-targets.ts'),
  ]);
  const outlets = openOutlets(policy, aws, deps);
  const over = new AbortController();
  const telling = announce(deps, outlets, over.signal);
  try {
    return await work();
  } finally {
    over.abort();
    await telling;
    const left = await announceLast(deps, outlets);
    const text = unpublishedText(left);
    if (text !== null) context.output.note(text);
    outlets.close();
  }
}

/** The note of a process that ends while entries wait for the event bus; `null`: no entry waits. */
export function unpublishedText({ entries, more }: Unpublished): string | null {
  if (entries === 0) return null;
  const many = `${more ? 'More than ' : ''}${count(entries, 'entry', 'entries')} of the audit log`;
  const verb = entries === 1 ? 'is' : 'are';
  return `${many} ${verb} not on the event bus yet; the next tick, serve or apply publishes them.`;
}
