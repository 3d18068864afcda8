import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.ts';
import { temporaryDirectory } from './test/support/temporary-directory.ts';

const common = {
  // The servers of the tests run on this machine, where a developer's proxy cannot reach them.
  env: {
    HTTP_PROXY: '',
    HTTPS_PROXY: '',
    http_proxy: '',
    https_proxy: '',
    AWS_CA_BUNDLE: '',
    AWS_DEFAULT_REGION: '',
    TMPDIR: temporaryDirectory(),
  },
  testTimeout: 60_000,
  hookTimeout: 60_000,
  // Most tests wait for sockets, disks and child processes rather than for a core.
  maxWorkers: 4,
  // Files share a process, because loading the AWS SDK for each file took a fifth of the processor time. A test restores what it changes of the
  // environment and the clock.
  isolate: false,
  // Node loads the sources itself, as in production. Modules transformed by Vite cost an eighth more processor time.
  experimental: { viteModuleRunner: false, nodeLoader: false },
} as const;

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    reporters: ['default', './test/support/closing-line-reporter.ts'],
    projects: [
      {
        test: {
          ...common,
          name: 'rollcall',
          setupFiles: ['test/support/setup.ts'],
          globalSetup: ['test/support/bundle-children.ts'],
          include: ['test/**/*.test.ts'],
          exclude: ['test/third-kind/**', '**/node_modules/**'],
        },
      },
      {
        test: {
          ...common,
          name: 'third kind',
          setupFiles: ['test/support/third-kind.ts'],
          include: ['test/third-kind/**/*.test.ts'],
        },
      },
    ],
  },
});
