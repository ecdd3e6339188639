import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { compileGlob, posixOfGlob } from '../../src/resolve/glob.ts';
import { unsafeReason } from '../../src/safe-path.ts';
import table from '../fixtures/globs.json' with { type: 'json' };
import { describeNix, type Nix, nixString } from '../support/nix.ts';

// That `builtins.match` of the real Nix selects what our globs select.

interface Question {
  readonly posix: string;
  readonly paths: readonly string[];
}

/** The paths that each expression matches, from one evaluation of all of them. */
async function matchesInNix(nix: Nix, questions: readonly Question[]): Promise<unknown> {
  const file = path.join(nix.folder, 'questions.json');
  await writeFile(file, JSON.stringify(questions));
  return nix.evaluate(
    `map ({ posix, paths, ... }: builtins.filter (path: builtins.match posix path != null) paths)
       (builtins.fromJSON (builtins.readFile ${nixString(file)}))`,
  );
}

const letter = fc.constantFrom(
  ' ',
  '\u2028',
  ...'a b . - _ 1 [ ] { } + $ ^ ( ) ä 日 🤗'.split(' '),
);
const segment = fc.array(letter, { minLength: 1, maxLength: 4 }).map((letters) => letters.join(''));
const filePath = fc
  .array(segment, { minLength: 1, maxLength: 3 })
  .map((segments) => segments.join('/'))
  .filter((text) => unsafeReason(text) === undefined);

/** Parts of globs that have a meaning, alone or beside another. */
const GLOB_PARTS = String.raw`* * ** **/ /** / / ? .* *. {a,b} {a/*,b} {,a} a/**/ [ab] [!a] [^a-b]
[a-b1] []a] [-a] [a/b] [.[] [[:alpha:]] [ä] {*,b} {a,{b,1}} {1..3} \[ \* (a|b) | " ! @`;

const globPart = fc.oneof(
  { weight: 4, arbitrary: letter },
  { weight: 6, arbitrary: fc.constantFrom(...GLOB_PARTS.split(/\s/u)) },
);
const glob = fc.array(globPart, { minLength: 1, maxLength: 5 }).map((parts) => parts.join(''));

/** Paths that are not all strange to a glob: some are made of the glob itself. */
const question = fc.record({
  glob,
  paths: fc.array(filePath, { minLength: 12, maxLength: 12 }),
});

const near = (pattern: string): string[] =>
  [
    pattern.replace(/\*+|\?/gu, 'a').replace(/[[\]{}!^\\"]/gu, ''),
    pattern.replace(/\*\*\/|[[\]{}!^\\"*?]/gu, ''),
    pattern.replace(/\*+/gu, 'a/b').replace(/\[[^\]]*\]|\?|\{[^}]*\}/gu, 'b'),
    pattern,
  ].filter((text) => unsafeReason(text) === undefined);

describeNix('globs in Nix', (nix) => {
  it('select what the table says', async () => {
    const cases = table.flatMap(({ posix, matched, unmatched }) =>
      posix === null ? [] : [{ posix, matched, paths: [...matched, ...unmatched] }],
    );
    expect(cases.length).toBeGreaterThanOrEqual(30);
    expect(await matchesInNix(nix(), cases)).toEqual(cases.map(({ matched }) => matched));
  });

  it.each([
    ['of any characters', false],
    ['of ASCII alone', true],
  ])('agree with picomatch on random globs and paths %s', async (_, ascii) => {
    const isAsked = (text: string) => !ascii || /^[\u0000-\u007f]*$/u.test(text);
    const cases = fc.sample(question, { numRuns: 600, seed: 7 }).flatMap((sample) => {
      const paths = [...sample.paths, ...near(sample.glob)].filter(isAsked);
      const posix = posixOfGlob(sample.glob, paths);
      return posix === undefined ? [] : [{ glob: sample.glob, posix, paths }];
    });
    expect(cases.flatMap(({ paths }) => paths).length).toBeGreaterThan(ascii ? 1_000 : 2_000);
    const matches = cases.map((one) => one.paths.filter(compileGlob(one.glob)));
    expect(matches.flat().length).toBeGreaterThan(100);
    expect(await matchesInNix(nix(), cases)).toEqual(matches);
  });

  it('take the longest path that there is', async () => {
    const paths = [`${`${'d'.repeat(255)}/`.repeat(15)}a.bin`];
    const posix = posixOfGlob('**/*.{bin,txt}', paths) ?? '';
    expect(await matchesInNix(nix(), [{ posix, paths }])).toEqual([paths]);
  });
});
