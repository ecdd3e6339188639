import { mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { findToken, isOn } from '../../src/hub/auth.ts';
import { makePipe } from '../support/pipe.ts';
import { tempFolder } from '../support/temp.ts';

const NOWHERE = { home: '/nowhere', cwd: '/nowhere' };

async function homeWithToken(token: string, ...folders: string[]): Promise<string> {
  const home = await tempFolder();
  const folder = path.join(home, ...folders);
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'token'), token);
  return home;
}

describe('token', () => {
  it('comes from HF_TOKEN, then the older variable, then the file; an empty value counts as unset', async () => {
    const home = await homeWithToken(' from-file\n', '.cache', 'huggingface');
    const older = { HUGGING_FACE_HUB_TOKEN: 'older' };
    expect(await findToken({ HF_TOKEN: ' first\n', ...older }, { home, cwd: '/nowhere' })).toBe(
      'first',
    );
    expect(await findToken({ HF_TOKEN: ' ', ...older }, { home, cwd: '/nowhere' })).toBe('older');
    expect(await findToken({ HF_TOKEN: '' }, { home, cwd: '/nowhere' })).toBe('from-file');
    expect(await findToken({}, { ...NOWHERE, home: await tempFolder() })).toBeUndefined();
  });

  it('follows HF_TOKEN_PATH, HF_HOME and XDG_CACHE_HOME', async () => {
    const home = await homeWithToken('here', 'a');
    expect(await findToken({ HF_TOKEN_PATH: path.join(home, 'a', 'token') }, NOWHERE)).toBe('here');
    expect(await findToken({ HF_HOME: path.join(home, 'a') }, NOWHERE)).toBe('here');
    expect(
      await findToken({ HF_TOKEN_PATH: '~/$X/token', X: 'a' }, { home, cwd: '/nowhere' }),
    ).toBe('here');
    expect(await findToken({ HF_HOME: '~/a' }, { home, cwd: '/nowhere' })).toBe('here');
    const xdg = await homeWithToken('there', 'huggingface');
    expect(await findToken({ XDG_CACHE_HOME: xdg }, NOWHERE)).toBe('there');
  });

  it('is read from a relative HF_TOKEN_PATH in the working directory', async () => {
    const cwd = await homeWithToken('here', 'a');
    expect(await findToken({ HF_TOKEN_PATH: 'a/token' }, { ...NOWHERE, cwd })).toBe('here');
    expect(await findToken({ HF_HOME: './a' }, { ...NOWHERE, cwd })).toBe('here');
  });

  it('is not sent when implicit tokens are switched off', async () => {
    const off = { HF_TOKEN: 'x', HF_HUB_DISABLE_IMPLICIT_TOKEN: '1' };
    expect(await findToken(off, NOWHERE)).toBeUndefined();
  });

  it('is rejected without being shown when a header cannot hold it', async () => {
    const refused = findToken({ HF_TOKEN: 'hf_secret\nX-Header: 1' }, NOWHERE);
    await expect(refused).rejects.toEqual(expect.objectContaining({ code: 'EHUG_TOKEN' }));
    await expect(refused).rejects.not.toThrow('hf_secret');
  });

  it.each(['a pipe that nobody writes to', '/dev/null'])('is not read from %s', async (what) => {
    const file = path.join(await tempFolder(), 'token');
    await (what === '/dev/null' ? symlink(what, file) : makePipe(file));
    await expect(findToken({ HF_TOKEN_PATH: file }, NOWHERE)).rejects.toMatchObject({
      code: 'EHUG_TOKEN',
      message: expect.stringContaining(`${file} is a pipe, a socket or a device`),
    });
  });

  it('is an error when its file cannot be read', async () => {
    const folder = await tempFolder();
    await expect(findToken({ HF_TOKEN_PATH: folder }, NOWHERE)).rejects.toThrow('token file');
  });
});

describe('switches', () => {
  it.each(['1', 'on', 'YES', 'True'])('%s is on', (value) => expect(isOn(value)).toBe(true));
  it.each([undefined, '', '0', '2', 'no', 'off'])('%s is off', (value) =>
    expect(isOn(value)).toBe(false),
  );
});
