import { defineConfig } from 'vitest/config';

/** Everything about Nix again, with the Nix that users run today; newer Node.js; the loaders. */
export default defineConfig({
  test: {
    include: ['test/compat/**/*.test.ts', 'test/nix/**/*.test.ts'],
    env: { NIX_HUG_TEST_NIX: 'current' },
    testTimeout: 60_000,
    hookTimeout: 120_000,
    maxWorkers: '150%',
  },
});
