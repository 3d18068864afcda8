import { writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { environment } from '../../shared/config/environment.ts';
import { runCli } from './cli.ts';

const STDIN_FD = 0;
const STDERR_FD = 2;

process.exitCode = await runCli(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: () => process.stdin,
  env: environment(),
  signals: process,
  inTerminal: isatty(STDIN_FD) || isatty(STDERR_FD),
  exit: (code) => process.exit(code),
  rewrite: (text) => void writeSync(STDERR_FD, text),
});
