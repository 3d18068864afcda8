import type { ConfigurationChange } from './plan.ts';

/** Identifies a call across runs. A stored plan contains these keys beside those of its changes. */
export function configurationKey({ operation, targetId, ruleMode, owner }: ConfigurationChange): string {
  return ['configuration', targetId, operation, ruleMode ?? '', ...(owner === 'other' ? [owner] : [])].join(' ');
}

/** Whether a key of a stored plan is that of a configuration that somebody else set. */
export function isForeignConfiguration(key: string): boolean {
  return key.startsWith('configuration ') && key.endsWith(' other');
}
