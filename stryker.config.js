// Mutation testing of the pure files: Stryker changes one place at a time, and a unit test has to
// fail. `npm run mutations` takes about an hour; for a part of it:
//
//   npm run mutations -- --mutate 'src/resolve/*.ts'
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** Files that read the disk, start processes or ask the Hub are tested by whole commands instead. */
const IMPURE = /from '(?:node:(?!crypto|path|util)|[^']*\/hub\/)/u;

const inFolder = (folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => path.join(folder, name));
const base = readdirSync('src')
  .filter((name) => existsSync(path.join('test', name.replace(/\.ts$/u, '.test.ts'))))
  .map((name) => path.join('src', name));
const sources = [...['src/manifest', 'src/resolve', 'src/lock'].flatMap(inFolder), ...base];

export default {
  mutate: sources.filter(
    (file) => /(?<!\.d)\.ts$/u.test(file) && !IMPURE.test(readFileSync(file, 'utf8')),
  ),
  // The words of messages and hints may change; no test pins them.
  mutator: { excludedMutations: ['StringLiteral'] },
  thresholds: { high: 95, low: 85, break: 80 },
  testRunner: 'vitest',
  vitest: { configFile: 'vitest.mutations.config.ts' },
  plugins: ['@stryker-mutator/vitest-runner'],
  reporters: ['clear-text', 'progress-append-only'],
  clearTextReporter: { logTests: false, allowColor: false },
  tempDirName: '.cache/stryker',
  ignorePatterns: ['.cache', 'coverage', 'dist', 'docs'],
  // Stryker reads this file with the API of TypeScript, which version 7 does not have.
  tsconfigFile: 'none',
};
