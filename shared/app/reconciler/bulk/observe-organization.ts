import { needsRecordingUnder } from '../../survey/needs-recording.ts';
import { type Survey, survey } from '../../survey/survey.ts';
import type { MessageContext } from '../worker-context.ts';

/**
 * Surveys the whole organization as it is now, for a call that changes accounts that it does not name. It does not use a cached snapshot, because an account
 * may have joined or moved since.
 */
export function observeOrganization(work: MessageContext): Promise<Survey> {
  const settings = { ...work.settings, snapshotMaxAgeMs: 0 };
  return survey(work.deps, settings, work.retrying, {
    policy: work.policy,
    needsRecording: needsRecordingUnder(work.policy.hash),
    onProgress: () => undefined,
    saveSnapshot: true,
    holds: () => work.holds,
  });
}
