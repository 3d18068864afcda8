import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The environment of Node processes that tests start. They share compiled code, which halves their start time. */
export const COMPILE_CACHE = { NODE_COMPILE_CACHE: join(tmpdir(), 'rollcall-tests-compile-cache') } as const;
