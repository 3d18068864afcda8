import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Most tests wait for sockets, disks and child processes rather than for a core.
    maxWorkers: 4,
    reporters: ['default', './test/support/closing-line-reporter.ts'],
  },
});
