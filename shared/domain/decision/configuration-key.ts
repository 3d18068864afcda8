import type { ConfigurationChange } from './plan.ts';

/**
 * Identifies a call across runs. A stored plan contains these keys beside those of its changes. The key names the rule mode that somebody else set, so an
 * approval does not permit the call after that rule mode has changed.
 */
export function configurationKey({ operation, targetId, ruleMode, owner, replaces }: ConfigurationChange): string {
  const foreign = owner === 'other' ? [owner, replaces ?? ''] : [];
  return ['configuration', targetId, operation, ruleMode ?? '', ...foreign].join(' ');
}

/** Whether a key of a stored plan is that of a configuration, not of an account. */
export function isConfigurationKey(key: string): boolean {
  return key.startsWith('configuration ');
}

/** Whether an earlier version, whose keys lack the rule mode that somebody else set, stored this key. No run makes its call. */
export function isOutdatedKey(key: string): boolean {
  return isForeignConfiguration(key) && key.split(' ').length < 6;
}

/** Whether a key of a stored plan is that of a configuration that somebody else set. */
export function isForeignConfiguration(key: string): boolean {
  const [kind, , , , owner] = key.split(' ');
  return kind === 'configuration' && owner === 'other';
}
