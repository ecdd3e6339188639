import path from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HugError } from '../../src/errors.ts';
import { parseRepoForm } from '../../src/repo.ts';
import table from '../fixtures/repo-forms.json' with { type: 'json' };
import { describeNix, nixString } from '../support/nix.ts';

const PARSE = `(import ${nixString(path.join(import.meta.dirname, '../../nix/fetch-model/parse-repo.nix'))})`;

interface Case {
  readonly form: string;
  readonly endpoint?: string;
}

const parse = ({ form, endpoint }: Case): string =>
  `(${PARSE} ${endpoint === undefined ? 'null' : nixString(endpoint)} ${nixString(form)})`;

/** Evaluates all of them in one process; `null` stands for an error. */
const parseAll = (cases: readonly Case[]): string =>
  `map (value: let result = builtins.tryEval (builtins.deepSeq value value); in
     if result.success then result.value else null) [ ${cases.map(parse).join(' ')} ]`;

/** What random forms are put together from. */
const PIECES = `https:// HTTP:// hf:// hf: hf-datasets: huggingface.co HF.co hub.example models datasets spaces
tree commit commits blob resolve raw viewer refs org na-me a.b x.git / / / / %2F %41 %c3%a4 %C3 %ED%A0%80 %F0%9F%A4%97 % %00 @
:8080 ?a=b #c .. . -- ä " \\`;

/** Nix reads no percent-encoding in addresses and revisions; in a query it does no harm. */
const isEncoded = (form: string): boolean =>
  /^(?:https?:\/\/|hf\.co\/|huggingface\.co\/|hub\.example\/)[^?#]*%/iu.test(form) ||
  /^hf:\/\/[^@%]*@(?:\/*refs\/+[^/]*\/+)?[^/]*%/u.test(form);

/** `fetchModel` takes no quant. */
const hasQuant = (says: object): boolean => 'quant' in says;

/** What the CLI reads, as far as Nix has to agree; `null` stands for an error. */
function inTypeScript({ form, endpoint }: Required<Case>): object | null {
  if (isEncoded(form)) return null;
  try {
    const says = parseRepoForm(form, endpoint);
    return hasQuant(says) ? null : says;
  } catch (error) {
    if (error instanceof HugError) return null;
    throw error;
  }
}

describeNix('parse-repo.nix', (nix) => {
  it('reads every form as the CLI does, but for percent-encoded ones and quants', async () => {
    const cases: readonly (Case & { says: object })[] = table.accepted;
    expect(await nix().evaluate(parseAll(cases))).toEqual(
      cases.map(({ form, says }) => (isEncoded(form) || hasQuant(says) ? null : says)),
    );
  });

  it('refuses every form that the CLI refuses', async () => {
    const cases: readonly Case[] = table.rejected;
    const results = (await nix().evaluate(parseAll(cases))) as unknown[];
    expect(cases.filter((_, index) => results[index] !== null)).toEqual([]);
  });

  it('agrees with the CLI on random forms', async () => {
    const piece = fc.constantFrom(...PIECES.split(/\s/u), ' ', '${x}', 'A'.repeat(40));
    const address = fc.tuple(
      fc.constantFrom(
        '',
        'https://huggingface.co/',
        'https://hub.example/hf/',
        'hf.co/',
        'hf://',
        'org/name/',
      ),
      fc.array(piece, { maxLength: 9 }),
    );
    const cases = fc.sample(address, { numRuns: 1_000, seed: 1 }).map(([start, rest]) => ({
      form: start + rest.join(''),
      endpoint: 'https://hub.example/hf/',
    }));
    expect(await nix().evaluate(parseAll(cases))).toEqual(cases.map(inTypeScript));
  });

  describe('an error', () => {
    it.each([
      ['https://huggingface.co/a/b/c?token=s3cret', 'write org/name or its address on the Hub'],
      ['https://user:s3cret@huggingface.co/org/name', 'with a user name or password'],
      ['https://example.com/org/name#s3cret', '"example.com" is not the Hub'],
      ['https://huggingface.co/org/name/tree/main/unet', 'it names a folder'],
      [
        'https://huggingface.co/org/name/tree/refs%2Fpr%2F1?token=s3cret',
        'percent-encoding is not read here; write org/name',
      ],
    ])('about %s names the fault and shows no secret', async (form, message) => {
      const error = await nix().evaluationError(`${parse({ form })}.id`);
      const said = error.split('\n').filter((line) => line.includes('nix-hug:'));
      expect(said.join()).toContain(message);
      expect(said.join()).not.toContain('s3cret');
    });
  });
});
