import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** For the environment of Node processes that tests start: what one has compiled the next need not; it halves the time that they start in. */
export const COMPILE_CACHE = { NODE_COMPILE_CACHE: join(tmpdir(), 'rollcall-tests-compile-cache') } as const;
