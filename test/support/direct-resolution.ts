import { isBuiltin, registerHooks } from 'node:module';

/*
 * Resolves imports without Vitest. Vitest reports each import and each `require` in a worker to its main process, so that watch mode knows which tests a
 * change affects. Without watch mode, nothing reads these messages, but they take time: Dynalite requires Node's streams again for every query.
 */
if (process.env['VITEST_MODE'] !== 'WATCH')
  registerHooks({
    // This hook runs before Vitest's, because it was registered later.
    resolve(specifier, context, nextResolve) {
      if (isBuiltin(specifier))
        return {
          url: specifier.startsWith('node:') ? specifier : `node:${specifier}`,
          format: 'builtin',
          shortCircuit: true,
        };
      const { parentURL } = context;
      // Imports in the source files include the extension, so they can be resolved without looking at the disk.
      if (parentURL !== undefined && /^\.\.?\/.*\.tsx?$/.test(specifier) && !parentURL.includes('/node_modules/'))
        return { url: new URL(specifier, parentURL).href, shortCircuit: true };
      return nextResolve(specifier, context);
    },
  });
