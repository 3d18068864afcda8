#!/usr/bin/env node
// Kept in the JavaScript of old: on a Node that is too old this file alone must be readable.
import { existsSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';

const LEAST = 24;
const major = Number(process.versions.node.split('.')[0]);

if (major < LEAST) {
  process.stderr.write(
    `rollcall needs Node.js ${LEAST} or newer; this is ${process.versions.node}. See https://nodejs.org/\n`,
  );
  process.exitCode = 1;
} else {
  // Half of what V8 lets the young generation grow to, before anything is loaded: else a scan keeps 100 MB more, and nothing is faster for it.
  setFlagsFromString('--max-semi-space-size=8');
  // A checkout runs its sources; an installed package has only the bundle.
  const source = new URL('./main.ts', import.meta.url);
  const bundle = new URL('../../dist/cli/main.js', import.meta.url);
  import(existsSync(source) ? source.href : bundle.href);
}
