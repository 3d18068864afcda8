import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { useCachedPackages } from './cached-packages.mjs';

/*
 * Starts the command line of a checkout. Node caches each source file, with its types stripped and compiled, by a checksum of the source.
 * If the directory cannot be written, Node runs without a cache. This file is JavaScript, because the code that strips types takes longer to load
 * than a short command takes to run, and is not needed for cached files.
 */
const cache = join(import.meta.dirname, '../../node_modules/.cache/rollcall');
enableCompileCache(cache);
useCachedPackages(join(cache, 'packages'));
// A static import would be loaded before the cache is enabled.
await import('./process.ts');
