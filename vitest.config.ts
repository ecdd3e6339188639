import { defineConfig } from 'vitest/config';
import { SLOW } from './vitest.slow.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/compat/**', 'test/faults/**', ...SLOW],
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
