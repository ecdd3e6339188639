import { expect, it } from 'vitest';
import { violationsOf } from '../../src/resolve/policy.ts';
import { POLICY_CASES } from '../support/policy.ts';

it.each(POLICY_CASES)('a policy $title', ({ policy, allow, lock, violations }) => {
  const found = violationsOf(policy, lock, (place) => new Set(allow[place]), 0);
  expect(found.map(({ place, rule, paths, reason }) => [place, rule, paths, reason])).toEqual(
    violations,
  );
});
