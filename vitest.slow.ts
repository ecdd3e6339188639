/**
 * Tests that take long, since they wait: for processes that are interrupted, for clients, for answers
 * that do not come. `make test-faults` runs them, and `make test` does not.
 */
export const SLOW: readonly string[] = [
  'test/commands/*-process.test.ts',
  'test/commands/serve.test.ts',
  'test/download/processes.test.ts',
  'test/git/packs.test.ts',
  'test/hub/hostile-answers.test.ts',
  'test/signals.test.ts',
];
