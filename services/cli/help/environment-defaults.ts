import type { Command } from 'commander';
import type { Environment } from '../../../shared/config/config.ts';

/** Environment variables that set an option of every command that has it, unless the command line does. */
export const ENVIRONMENT_DEFAULTS: Readonly<Record<string, string>> = {
  '--policy': 'ROLLCALL_POLICY',
  '--store': 'ROLLCALL_STORE',
  '--data-dir': 'ROLLCALL_DATA_DIR',
};

/** Applies the environment before the command line is parsed. An empty variable counts as not set. */
export function applyEnvironment(commands: readonly Command[], env: Environment): void {
  for (const command of commands) {
    for (const option of command.options) {
      const value = env[ENVIRONMENT_DEFAULTS[option.long ?? ''] ?? ''];
      if (value !== undefined && value !== '') {
        command.setOptionValueWithSource(option.attributeName(), value, 'env');
      }
    }
  }
}
