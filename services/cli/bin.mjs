#!/usr/bin/env node
// Kept in the JavaScript of old: on a Node that is too old this file alone must be readable.
import { existsSync } from 'node:fs';

const LEAST = 24;
const major = Number(process.versions.node.split('.')[0]);

if (major < LEAST) {
  process.stderr.write(
    `rollcall needs Node.js ${LEAST} or newer; this is ${process.versions.node}. See https://nodejs.org/\n`,
  );
  process.exitCode = 1;
} else {
  // A checkout runs its sources; an installed package has only the bundle.
  const source = new URL('./main.ts', import.meta.url);
  const bundle = new URL('../../dist/cli/main.js', import.meta.url);
  import(existsSync(source) ? source.href : bundle.href);
}
