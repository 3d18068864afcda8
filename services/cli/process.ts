import { writeSync } from 'node:fs';
import { environment } from '../../shared/config/environment.ts';
import { runCli } from './cli.ts';

const STDERR_FD = 2;

process.exitCode = await runCli(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: () => process.stdin,
  env: environment(),
  signals: process,
  exit: (code) => process.exit(code),
  rewrite: (text) => void writeSync(STDERR_FD, text),
});
