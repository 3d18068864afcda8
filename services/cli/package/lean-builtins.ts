import type { Plugin } from 'esbuild';

const NAMESPACE = 'lean-builtin';

/**
 * Replaces modules of Node that commander imports and Rollcall does not need. `node:process` opens stdin, stdout and stderr, although the global
 * `process` is the same object; `node:child_process` is for commands that are programs of their own.
 */
export const leanBuiltins: Plugin = {
  name: 'lean-builtins',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^node:(process|child_process)$/ }, ({ path, importer }) =>
      /[\\/]node_modules[\\/]commander[\\/]/.test(importer) ? { path, namespace: NAMESPACE } : null,
    );
    onLoad({ filter: /./, namespace: NAMESPACE }, ({ path }) => ({
      contents: `module.exports = ${path === 'node:process' ? 'process' : '{}'};`,
      loader: 'js',
    }));
  },
};
