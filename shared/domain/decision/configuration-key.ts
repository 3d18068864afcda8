import type { ConfigurationChange } from './plan.ts';

/**
 * Identifies a call across runs. A stored plan contains these keys beside those of its changes. The key names the rule mode that somebody else set, so an
 * approval does not permit the call once somebody has changed it.
 */
export function configurationKey({ operation, targetId, ruleMode, owner, replaces }: ConfigurationChange): string {
  const approvedFor = owner === 'other' ? [owner, replaces ?? ''] : [];
  return ['configuration', targetId, operation, ruleMode ?? '', ...approvedFor].join(' ');
}

/** Whether a key of a stored plan is that of a configuration that somebody else set. */
export function isForeignConfiguration(key: string): boolean {
  const [kind, , , , owner] = key.split(' ');
  return kind === 'configuration' && owner === 'other';
}
