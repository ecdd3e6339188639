import { describe, expect, it } from 'vitest';
import { licenseOf } from '../../src/resolve/license.ts';

const readme = (frontMatter: string) => `---\n${frontMatter}\n---\n# Model\n`;

const NOT_YAML = 'the front matter of README.md is not valid YAML, so no licence is recorded';
const NOT_TEXT = 'README.md declares a licence that is not a short text; none is recorded';

describe('the licence of a README', () => {
  it.each([
    ['license: apache-2.0', { license: ['apache-2.0'] }],
    ['license:\n- mit\n- apache-2.0\n- mit', { license: ['mit', 'apache-2.0'] }],
    ['license: "  mit "', { license: ['mit'] }],
    ['license: openrail++\nlicense_name: x', { license: ['openrail++'] }],
    ['license: other\nlicense_name: Llama 3', { license: ['other'], licenseName: 'Llama 3' }],
    ['license: [mit, Other]\nlicense_name: ä', { license: ['mit', 'Other'], licenseName: 'ä' }],
    ['license: other\nlicense_name: 3', { license: ['other'] }],
    ['license: other\nlicense_name: "a\\u009bb"', { license: ['other'] }],
    ['license: no', { license: ['no'] }],
    ['license:', {}],
    ['license: []', {}],
    ['language: en', {}],
    ['', {}],
    ['- a\n- b', {}],
  ])('%j', (text, expected) => {
    expect(licenseOf(readme(text))).toEqual(expected);
  });

  it.each([
    '',
    '# Model\n',
    'license: mit\n',
    '---\nlicense: mit\n',
    '# Model\n---\nlicense: mit\n---\n',
    '--- \nlicense: mit\n---\n',
    '---\n---\nlicense: mit\n',
    '----\nlicense: mit\n----\n',
  ])('is none without front matter: %j', (text) => {
    expect(licenseOf(text)).toEqual({});
  });

  it.each([
    '\ufeff---\nlicense: mit\n---\n',
    '\n \n---\nlicense: mit\n---\n',
    '---\r\nlicense: mit\r\n---\r\n',
    '---\nlicense: mit\n---',
    '---\nlicense: mit\n---\n---\nlicense: gpl\n---\n',
  ])('is read from %j', (text) => {
    expect(licenseOf(text)).toEqual({ license: ['mit'] });
  });
});

describe('hostile front matter is a warning', () => {
  it.each([
    ['a tab', 'license:\n\t- mit'],
    ['the same key twice', 'license: mit\nlicense: apache-2.0'],
    ['a tag', 'license: !!js/function "x"'],
    ['an alias without its anchor', 'license: *x'],
    ['an alias in what it repeats', 'a: &a [*a]\nlicense: mit'],
    [
      'aliases that repeat without end',
      `a0: &a0 [x,x]\n${Array.from({ length: 40 }, (_, n) => `a${n + 1}: &a${n + 1} [*a${n}, *a${n}]`).join('\n')}\nlicense: mit`,
    ],
    ['nesting', `a: ${'['.repeat(100_000)}`],
    ['a million keys', `license: mit\n${'a: b\n'.repeat(250_000)}`],
    ['a control character', 'license: mit\u0001'],
    ['a conflict of git', '<<<<<<< HEAD\nlicense: mit'],
  ])('of %s', (_, text) => {
    expect(licenseOf(readme(text))).toEqual({ warning: NOT_YAML });
  });

  it.each([
    'license: 2.0',
    'license: true',
    'license: {a: b}',
    'license: [mit, 1]',
    'license: [[mit]]',
    'license: [mit, ""]',
    'license: "a\\nb"',
    'license: "a\\e[2Jb"',
    'license: "a\\u202fb\\0"',
    `license: ${'a'.repeat(129)}`,
  ])('of a licence that is none: %j', (text) => {
    expect(licenseOf(readme(text))).toEqual({ warning: NOT_TEXT });
  });

  it.each(['\n', '-', '---\n', '\n--', ' ', '---\r'])('of a megabyte of %j', (part) => {
    expect(Object.keys(licenseOf(`---\n${part.repeat(1_048_576 / part.length)}`))).not.toContain(
      'license',
    );
  });
});
