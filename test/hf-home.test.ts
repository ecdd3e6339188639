import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { cacheFolderIn, tokenFileIn } from '../src/hf-home.ts';
import { describeClients } from './support/python.ts';

const exec = promisify(execFile);

const HOME = '/home/someone';
const CASES: readonly Readonly<Record<string, string>>[] = [
  {},
  { HF_HUB_CACHE: '/a', HUGGINGFACE_HUB_CACHE: '/b', HF_HOME: '/c', XDG_CACHE_HOME: '/d' },
  { HUGGINGFACE_HUB_CACHE: '/b', HF_HOME: '/c', XDG_CACHE_HOME: '/d' },
  { HF_HOME: '/c', XDG_CACHE_HOME: '/d' },
  { XDG_CACHE_HOME: '/d' },
  { HF_HUB_CACHE: '', HF_HOME: '/c' },
  { HF_HOME: '' },
  { XDG_CACHE_HOME: '' },
  { HF_HOME: '~' },
  { HF_HOME: '~/x' },
  { HF_HOME: '~~/x' },
  { HF_HOME: '/x/~' },
  { HF_HUB_CACHE: '$A/x${B}$NOPE${NOPE}', A: '/a', B: 'b' },
  { HF_HUB_CACHE: '$A', A: '$B', B: 'b' },
  { HF_HUB_CACHE: '$A', A: '~' },
  { HF_HUB_CACHE: '$' },
  { HF_HUB_CACHE: '${' },
  { HF_HUB_CACHE: '${A', A: 'a' },
  { HF_HUB_CACHE: '$Aé$é', A: 'a' },
  { HUGGINGFACE_HUB_CACHE: '~/$A', A: 'a' },
  { XDG_CACHE_HOME: '$A', A: '/a' },
  { XDG_CACHE_HOME: '~/a' },
  { HF_TOKEN_PATH: '/t', HF_HOME: '/c' },
  { HF_TOKEN_PATH: '~/$A/t', A: 'a' },
];

describe('the folders of huggingface_hub', () => {
  it.each([
    [{}, '/home/someone/.cache/huggingface/hub', '/home/someone/.cache/huggingface/token'],
    [{ HF_HUB_CACHE: '/a', HF_HOME: '/c' }, '/a', '/c/token'],
    [{ HF_HOME: '~/x', HF_TOKEN_PATH: '/t' }, '/home/someone/x/hub', '/t'],
    [{ HF_HOME: '' }, 'hub', 'token'],
    [{ HF_HOME: '~' }, '/home/someone/hub', '/home/someone/token'],
    [{ HF_HOME: '/x/~' }, '/x/~/hub', '/x/~/token'],
    [
      { HF_HUB_CACHE: '$A1/x${B2}$NOPE${NOPE}', A1: '/a', B2: 'b', HF_HOME: '~~' },
      '/a/xb$NOPE${NOPE}',
      '~~/token',
    ],
  ])('are found for %j', (env, cache, token) => {
    expect(cacheFolderIn(env, HOME)).toBe(cache);
    expect(tokenFileIn(env, HOME)).toBe(token);
  });
});

describeClients(({ python }) => {
  it.each(CASES)('has the same folders for %j', async (env) => {
    const program =
      'from huggingface_hub import constants; print(constants.HF_HUB_CACHE, constants.HF_TOKEN_PATH, sep="\\n", end="")';
    const { stdout } = await exec(python, ['-c', program], {
      env: { HOME, PYTHONUTF8: '1', ...env },
    });
    const ours = [cacheFolderIn(env, HOME), tokenFileIn(env, HOME)];
    const theirs = stdout.split('\n');
    expect(ours.map((file) => path.resolve(file))).toEqual(
      theirs.map((file) => path.resolve(file)),
    );
  });
});
