import type { Lock } from '../../src/lock/schema.ts';
import type { Policy, Rule } from '../../src/manifest/policy-schema.ts';
import cases from '../fixtures/policy.json' with { type: 'json' };
import { lockedEntry, lockedFile } from './locks.ts';

/** A policy, and what breaks it in a lock, for both readers of locks. */
export interface PolicyCase {
  readonly title: string;
  readonly policy: Policy;
  /** Rules that entries may break, by their places. */
  readonly allow: Readonly<Record<string, readonly Rule[]>>;
  readonly lock: Lock;
  readonly violations: readonly (readonly [
    place: string,
    rule: string,
    paths: readonly string[],
    reason: string,
  ])[];
}

interface FixtureEntry {
  readonly repo: string;
  readonly license?: readonly string[];
  /** Paths; a star behind one marks an LFS file. */
  readonly files: readonly string[];
  /** Repository and the file that names it, at `main`. */
  readonly needs?: readonly (readonly [repo: string, by: string])[];
}

const fileOf = (written: string) =>
  [
    written.replace(/\*$/u, ''),
    lockedFile(written, written.endsWith('*') ? { lfs: true } : {}),
  ] as const;

const locked = (entries: Readonly<Record<string, unknown>> = {}) =>
  new Map(
    Object.entries(entries as Readonly<Record<string, FixtureEntry>>).map(
      ([name, { repo, license, files, needs }]) => [
        name,
        lockedEntry({
          repo,
          ...(license === undefined ? {} : { license }),
          ...(needs === undefined
            ? {}
            : { needs: needs.map(([id, by]) => ({ repo: id, ref: 'main', by })) }),
          files: new Map(files.map(fileOf)),
        }),
      ],
    ),
  );

/** The shared cases of `test/fixtures/policy.json`. */
export const POLICY_CASES: readonly PolicyCase[] = cases.map(
  ({ title, policy, allow = {}, models, datasets, needed, violations }) => ({
    title,
    policy: policy as Policy,
    allow: allow as PolicyCase['allow'],
    lock: {
      lockfileVersion: 2,
      models: locked(models),
      datasets: locked(datasets),
      ...(needed === undefined ? {} : { needed: locked(needed) }),
    },
    violations: violations as unknown as PolicyCase['violations'],
  }),
);
