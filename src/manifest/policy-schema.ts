import * as v from 'valibot';
import { plainObject } from '../plain-object.ts';

/** Rules that an entry may break, and that its `allow` may name. */
const RULES = ['formats', 'remoteCode', 'licenses', 'owners', 'minimumAge'] as const;

/** A number of hours, days or weeks. */
const AGE = /^[1-9]\d{0,3}[hdw]$/u;

const HOUR_MS = 3_600_000;
const UNITS_MS = { h: HOUR_MS, d: 24 * HOUR_MS, w: 7 * 24 * HOUR_MS } as const;

export type Rule = (typeof RULES)[number];

const choice = <const TWords extends readonly string[]>(
  words: TWords,
  message: string,
  description: string,
) => v.exactOptional(v.pipe(v.picklist(words, message), v.description(description)));

const names = (description: string) =>
  v.exactOptional(
    v.pipe(
      v.array(v.pipe(v.string('must be text'), v.nonEmpty('is empty')), 'must be a list'),
      v.nonEmpty('is an empty list: leave it out to allow all'),
      v.readonly(),
      v.metadata({ description, uniqueItems: true }),
    ),
  );

const policyFields = {
  formats: choice(
    ['safe', 'any'],
    'must be safe or any',
    'safe: no weights in formats that can run code when they are loaded, such as pickle.',
  ),
  remoteCode: choice(
    ['deny', 'omit', 'allow'],
    'must be deny, omit or allow',
    'deny: no Python code and no libraries in a repository, or in one that it names. omit: they are left out of the lock.',
  ),
  licenses: names(
    'Licences that an entry may have, as README.md declares them: ids of the Hub; undeclared for none.',
  ),
  owners: names('Users and organisations whose repositories may be used.'),
  minimumAge: v.exactOptional(
    v.pipe(
      v.string('must be text such as 3d'),
      v.regex(AGE, 'must be a number of hours, days or weeks, such as 12h, 3d or 2w'),
      v.description(
        'How old a commit must be: of a branch, the newest one that is old enough is locked.',
      ),
    ),
  ),
};

/** Shape of `policy` in `hug.yaml`. */
export const policySchema = v.exactOptional(
  v.pipe(
    plainObject(v.strictObject(policyFields), 'must be a map'),
    v.description('What entries, and what they need, may be.'),
  ),
);

/** Shape of `allow` of an entry. */
export const allowSchema = v.exactOptional(
  v.pipe(
    v.array(
      v.picklist(RULES, `must be ${RULES.slice(0, -1).join(', ')} or ${RULES.at(-1)}`),
      'must be a list',
    ),
    v.nonEmpty('is an empty list: leave it out to allow nothing'),
    v.readonly(),
    v.metadata({
      description: 'Rules of the policy that this entry, and what it alone needs, may break.',
      uniqueItems: true,
    }),
  ),
);

/** What entries may be; a rule that is left out allows everything. */
export interface Policy {
  readonly formats?: 'safe' | 'any';
  readonly remoteCode?: 'deny' | 'omit' | 'allow';
  /** Ids of the Hub, compared without case; `undeclared` for an entry without a licence. */
  readonly licenses?: readonly string[];
  readonly owners?: readonly string[];
  /** How old a commit must be: hours, days or weeks, as `3d`. */
  readonly minimumAge?: string;
}

/** A valid `minimumAge` in ms. */
export function ageMs(age: string): number {
  const unit = age.endsWith('h') ? 'h' : age.endsWith('d') ? 'd' : 'w';
  return Number(age.slice(0, -1)) * UNITS_MS[unit];
}

/** Keys that a policy may have. */
export const POLICY_KEYS: readonly string[] = Object.keys(policyFields);
