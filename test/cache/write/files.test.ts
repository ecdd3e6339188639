import { describe, expect, it } from 'vitest';
import { cacheError } from '../../../src/cache/write/files.ts';

describe('an error of the cache', () => {
  it.each([
    ['symlink', 'EACCES', 'read-only'],
    ['mkdir', 'EPERM', 'read-only'],
    ['open', 'EISDIR', 'you may write there'],
  ])('of %s with %s has a hint', async (syscall, code, hint) => {
    const thrown = Object.assign(new Error(`${code}: refused, ${syscall}`), { code, syscall });
    const error = await cacheError(thrown, '/cache', 0);
    expect(error).toMatchObject({ code: 'EHUG_FILE_SYSTEM', hint: expect.stringContaining(hint) });
  });
});
