import './direct-resolution.ts';
import { registerHooks } from 'node:module';

const SHARED = new URL('../../shared/', import.meta.url).href;
const REGISTRY = new URL('domain/enrollment/kinds/registry.ts', SHARED).href;
const FAKE_KIND = new URL('./fake-kind.ts', import.meta.url).href;

/*
 * Adds one kind to the registry, as a product change would: one line. The rest of the product is unchanged. Tests and the fake kind still import the
 * registry of the product. This hook runs before that of `direct-resolution.ts`, because it was registered later.
 */
registerHooks({
  resolve(specifier, context, nextResolve) {
    const resolved = nextResolve(specifier, context);
    const isProduct = context.parentURL?.startsWith(SHARED) === true;
    return isProduct && resolved.url === REGISTRY ? { ...resolved, url: FAKE_KIND } : resolved;
  },
});
