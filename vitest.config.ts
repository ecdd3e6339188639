import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/compat/**', 'test/faults/**'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Most tests wait for other processes.
    maxWorkers: '150%',
    coverage: {
      include: ['src/**'],
      reporter: ['text-summary', 'json-summary'],
      reportsDirectory: '.cache/coverage',
    },
  },
});
