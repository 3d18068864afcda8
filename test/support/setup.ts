import { enableCompileCache, flushCompileCache } from 'node:module';
import { afterAll } from 'vitest';
import { COMPILE_CACHE } from './compile-cache.ts';
import './direct-resolution.ts';

/*
 * Node stores the sources of the tests and of the product without their types and compiled. Each worker loads all of them, so this saves a third of the time
 * that imports take. Vitest may kill its workers, so they store what they have compiled after each file.
 */
enableCompileCache(COMPILE_CACHE.NODE_COMPILE_CACHE);
afterAll(() => flushCompileCache());
