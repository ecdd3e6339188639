import { readdirSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

const base = readdirSync('src').filter((name) => name.endsWith('.ts') && name !== 'bin.ts');

/** The unit tests that `stryker.config.js` runs; those of whole commands would take hours. */
export default defineConfig({
  test: {
    include: [
      'test/{manifest,resolve,lock}/**/*.test.ts',
      ...base.map((name) => `test/${name.replace('.ts', '.test.ts')}`),
    ],
    // These change the user or the working folder of their process, which a worker thread cannot.
    exclude: ['test/manifest/locate.test.ts', 'test/lock/file.test.ts'],
    testTimeout: 60_000,
  },
});
