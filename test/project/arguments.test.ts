import { describe, expect, it } from 'vitest';
import { repositoryAmong, targetsOf } from '../../src/project/arguments.ts';

const NONE = { ref: undefined, include: undefined };
const OF_ONE = { ref: 'v1' };
const OF_EACH = { include: ['*.bin'] };

describe('targets', () => {
  it('are names of entries and repositories, mixed, each once', () => {
    const argv = ['a', 'org/b', 'models.c', 'hf:d', 'a', 'https://huggingface.co/org/e', 'org/b'];
    expect(targetsOf(argv, NONE)).toEqual({
      names: ['a', 'models.c'],
      urls: ['org/b', 'hf:d', 'https://huggingface.co/org/e'],
    });
  });

  it.each([
    ['one repository', ['org/a'], OF_ONE],
    ['one repository among entries', ['a', 'org/a', 'b'], OF_ONE],
    ['each repository', ['org/a', 'org/b'], OF_EACH],
  ])('have options for %s', (_, argv, options) => {
    expect(targetsOf(argv, options).urls.length).toBeGreaterThan(0);
  });

  it.each([{ ref: 'v1' }, { model: true }, { dataset: true }, { repoType: 'model' as const }])(
    'have %j for exactly one repository',
    (options) => {
      expect(() => targetsOf(['org/a', 'hf:b'], options, 'entries')).toThrow(
        'need exactly one repository; 2 given',
      );
      expect(() => targetsOf(['a'], options, 'entries')).toThrow(
        'need exactly one repository; 0 given',
      );
    },
  );

  it.each([{ include: ['*'] }, { exclude: ['*'] }, { file: ['a'] }])(
    'have %j for entries where the command allows it',
    (options) => {
      expect(targetsOf(['a', 'org/a'], options, 'entries').names).toEqual(['a']);
      expect(() => targetsOf(['a'], options)).toThrow('not entries of the lock');
    },
  );

  it.each([
    ['several repositories', ['org/a', 'hf:b'], OF_ONE, 'exactly one repository; 2 given'],
    ['entries', ['a'], OF_ONE, 'exactly one repository; 0 given'],
    ['the whole lock', [], OF_EACH, 'not entries of the lock'],
    ['entries beside a repository', ['a', 'org/a'], OF_EACH, 'not entries of the lock'],
  ])('have no such options for %s', (_, argv, options, message) => {
    expect(() => targetsOf(argv, options)).toThrow(message);
  });
});

describe('a command on one repository', () => {
  it('takes no other arguments beside it', () => {
    expect(repositoryAmong(['org/a'], OF_ONE)).toBe('org/a');
    expect(repositoryAmong(['a', 'b'], NONE)).toBeUndefined();
    expect(repositoryAmong([], NONE)).toBeUndefined();
    for (const argv of [
      ['a', 'org/a'],
      ['org/a', 'org/b'],
    ]) {
      expect(() => repositoryAmong(argv, NONE)).toThrow(
        'a repository cannot be combined with other arguments',
      );
    }
  });
});
