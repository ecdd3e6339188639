import { describe, expect, it } from 'vitest';
import { code } from '../../src/output/text.ts';

describe('a name as code of Markdown', () => {
  it.each([
    ['config.json', '`config.json`'],
    ['__init__.py', '`__init__.py`'],
    ['a`b', '`` a`b ``'],
    ['``', '``` `` ```'],
    ['a\u202eb', '`a\\u202eb`'],
  ])('%j', (name, text) => {
    expect(code(name)).toBe(text);
  });
});
