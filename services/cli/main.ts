import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

/*
 * The entry point of a checkout. Node caches each source file, with its types stripped and compiled, by a checksum of the source.
 * If the directory cannot be written, Node runs without a cache.
 */
enableCompileCache(join(import.meta.dirname, '../../node_modules/.cache/rollcall'));
// A static import would be loaded before the cache is enabled.
await import('./process.ts');
