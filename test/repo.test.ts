import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HugError } from '../src/errors.ts';
import { badRefReason, isRepoId, parseRepoForm, type RepoForm } from '../src/repo.ts';
import { badEndpointReason, encodePath, encodeSegment, repoPage } from '../src/address.ts';
import addresses from './fixtures/endpoints.json' with { type: 'json' };
import table from './fixtures/repo-forms.json' with { type: 'json' };

interface Accepted {
  readonly form: string;
  readonly endpoint?: string;
  readonly says: object;
}

interface Rejected {
  readonly form: string;
  readonly endpoint?: string;
  /** For the reader of the table. */
  readonly why: string;
}

const accepted: readonly Accepted[] = table.accepted;
const rejected: readonly Rejected[] = table.rejected;

const parse = ({ form, endpoint }: { form: string; endpoint?: string }): RepoForm =>
  endpoint === undefined ? parseRepoForm(form) : parseRepoForm(form, endpoint);

/** The error that parsing throws; the test fails for anything but an error for the user. */
function refusalOf(form: string): HugError {
  try {
    parseRepoForm(form);
  } catch (error) {
    if (error instanceof HugError) return error;
    throw error;
  }
  throw new Error(`${form} is accepted`);
}

describe('repository forms', () => {
  it.each(accepted)('reads $form', (example) => {
    expect(parse(example)).toEqual(example.says);
  });

  it.each(rejected)('refuses $form, which $why', (example) => {
    expect(() => parse(example)).toThrow(
      expect.objectContaining({ name: 'HugError', code: 'EHUG_REPO_INVALID' }),
    );
  });

  it('lists every form once', () => {
    const forms = [...accepted, ...rejected].map(({ form, endpoint }) => `${form} ${endpoint}`);
    expect(forms).toHaveLength(new Set(forms).size);
  });

  it('takes addresses on any of several endpoints', () => {
    const endpoints = ['https://a.example', 'https://b.example/hf'];
    expect(parseRepoForm('https://a.example/org/name', ...endpoints).id).toBe('org/name');
    expect(parseRepoForm('https://b.example/hf/org/name', ...endpoints).id).toBe('org/name');
    expect(parseRepoForm('https://hf.co/org/name', ...endpoints).id).toBe('org/name');
  });

  it.each([
    'https://me:s3cret@huggingface.co/org/name',
    'https://s3cret@huggingface.co/org/name',
    'https://huggingface.co/a/b/c?token=s3cret',
    'https://example.com/org/name?token=s3cret',
    'https://huggingface.co/a/b/c#s3cret',
  ])('does not quote the secret of %s', (form) => {
    const { message, hint } = refusalOf(form);
    expect(`${message} ${hint}`).not.toContain('s3cret');
  });

  it('explains why an address is refused', () => {
    expect(refusalOf('https://huggingface.co/org/name/tree/main/unet').message).toBe(
      '"https://huggingface.co/org/name/tree/main/unet" is not a repository: it names a folder; select "unet/"',
    );
    expect(refusalOf('https://example.com/org/name').message).toBe(
      '"https://example.com/org/name" is not a repository: "example.com" is not the Hub',
    );
  });

  it.each([
    ['https://huggingface.co/spaces/org/name', 'spaces are not supported'],
    ['git+https://me:s3cret@huggingface.co/org/name', 'addresses of git are not supported'],
    ['git@hf.co:org/name', 'addresses of git are not supported'],
  ])('says of %s that its kind is not supported', (form, message) => {
    expect(refusalOf(form).message).toBe(message);
  });

  it.each([
    [
      'org/name:Q4.K',
      '"org/name:Q4.K" is not a repository: a quant has letters, digits, "_" and "-", such as Q4_K_M',
    ],
    [
      'datasets/org/name:Q4_K_M',
      '"datasets/org/name:Q4_K_M" is not a repository: only a model has a quant',
    ],
  ])('says why %s has no quant', (form, message) => {
    expect(refusalOf(form).message).toBe(message);
  });

  it('shows a long form on one short line', () => {
    const { message } = refusalOf(`org/${'long\n'.repeat(1000)}`);
    expect(message.length).toBeLessThan(250);
    expect(message).not.toContain('\n');
  });

  it('parses every id, in each form', () => {
    const part = fc.stringMatching(/^[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,8}[A-Za-z0-9_])?$/u);
    const id = fc
      .tuple(fc.constantFrom('org', 'a_b', 'X-1'), part)
      .map((parts) => parts.join('/'))
      .filter(isRepoId);
    fc.assert(
      fc.property(id, (text) => {
        expect(parseRepoForm(text)).toEqual({ id: text });
        expect(parseRepoForm(`hf:${text}`)).toEqual({ type: 'model', id: text });
        expect(parseRepoForm(`datasets/${text}`)).toEqual({ type: 'dataset', id: text });
        expect(parseRepoForm(`https://huggingface.co/${text}/tree/v1`)).toEqual({
          type: 'model',
          id: text,
          ref: 'v1',
        });
      }),
    );
  });

  it('returns a valid id or throws EHUG_REPO_INVALID, for any text', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc
        .array(
          fc.constantFrom(
            'https://',
            'hf:',
            'huggingface.co',
            '/',
            'tree',
            'org',
            '%2F',
            '..',
            '@',
          ),
        )
        .map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(text, (form) => {
        try {
          expect(isRepoId(parseRepoForm(form).id)).toBe(true);
        } catch (error) {
          expect(error).toMatchObject({ code: 'EHUG_REPO_INVALID' });
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('refs', () => {
  it.each([
    'main',
    'v1.0',
    'refs/pr/1',
    'refs/convert/parquet',
    'feature/x',
    'a@b',
    '-x',
    '1234567',
  ])('accepts %s', (ref) => {
    expect(badRefReason(ref)).toBeUndefined();
  });

  it.each([
    ['', 'is empty'],
    ['../x', 'has a ".." segment'],
    ['/main', 'is absolute'],
    ['a//b', 'has an empty segment'],
    ['a\u0000b', 'has a control character'],
    ['v\u009b31m', 'has a control character'],
    ['a b', 'has a character that no branch, tag or commit has'],
    ['a:b', 'has a character that no branch, tag or commit has'],
    ['a..b', 'is not a name that git allows'],
    ['a@{1}', 'is not a name that git allows'],
    ['@', 'is not a name that git allows'],
    ['.a', 'is not a name that git allows'],
    ['a/.b', 'is not a name that git allows'],
    ['a.', 'is not a name that git allows'],
    ['a.lock', 'is not a name that git allows'],
    ['a.lock/b', 'is not a name that git allows'],
    ['A'.repeat(40), 'is a commit, and those are written in lower case'],
  ])('refuses %j, which %s', (ref, reason) => {
    expect(badRefReason(ref)).toBe(reason);
  });
});

describe('addresses of the Hub', () => {
  it('names the page of a repository', () => {
    expect(repoPage('https://huggingface.co', 'model', 'org/name')).toBe(
      'https://huggingface.co/org/name',
    );
    expect(repoPage('https://huggingface.co', 'dataset', 'squad')).toBe(
      'https://huggingface.co/datasets/squad',
    );
  });

  it('encodes everything but unreserved characters', () => {
    expect(encodePath("a b/c'd(e)!*/ä#?%.bin")).toBe(
      'a%20b/c%27d%28e%29%21%2A/%C3%A4%23%3F%25.bin',
    );
    expect(encodeSegment('refs/pr/1')).toBe('refs%2Fpr%2F1');
    expect(encodeSegment('AZaz09_.-~')).toBe('AZaz09_.-~');
  });
});

describe('the address of a Hub', () => {
  it.each(addresses.accepted)('may be %j', (endpoint) => {
    expect(badEndpointReason(endpoint)).toBeUndefined();
  });

  it.each([
    ...addresses.rejected,
    'https://hub.example:65536',
    'https://1.2.3.999',
    'http://[::x]',
  ])('cannot be %j', (endpoint) => {
    expect(badEndpointReason(endpoint)).toBeDefined();
    expect(badEndpointReason(endpoint)).not.toContain('s3cret');
  });
});
