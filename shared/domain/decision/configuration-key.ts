import type { ConfigurationChange } from './plan.ts';

/**
 * Identifies a call across runs. A stored plan contains these keys and those of its changes. If somebody else set the configuration, the key includes
 * the present rule mode, so an approval no longer permits the call once that rule mode changes.
 */
export function configurationKey({ operation, targetId, ruleMode, owner, replaces }: ConfigurationChange): string {
  const foreign = owner === 'other' ? [owner, replaces ?? ''] : [];
  return ['configuration', targetId, operation, ruleMode ?? '', ...foreign].join(' ');
}

/** Whether a key of a stored plan is that of a configuration, not of an account. */
export function isConfigurationKey(key: string): boolean {
  return key.startsWith('configuration ');
}

/** Whether an earlier version stored this key, without the rule mode that somebody else set. No run makes the call that it identifies. */
export function isOutdatedKey(key: string): boolean {
  return isForeignConfiguration(key) && key.split(' ').length < 6;
}

/** Whether a key of a stored plan is that of a configuration that somebody else set. */
export function isForeignConfiguration(key: string): boolean {
  const [kind, , , , owner] = key.split(' ');
  return kind === 'configuration' && owner === 'other';
}
