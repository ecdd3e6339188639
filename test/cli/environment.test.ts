import { describe, expect, it } from 'vitest';
import {
  endpointIn,
  nixEnv,
  proxyIn,
  secretsIn,
  storeDiskFolderIn,
  timeoutsIn,
  userEnv,
  wantsColor,
  workFolderIn,
} from '../../src/cli/environment.ts';

describe('the environment', () => {
  it.each([
    [{}, undefined],
    [{ HF_ENDPOINT: ' ' }, undefined],
    [{ HF_ENDPOINT: ' https://hub.example/base// ' }, 'https://hub.example/base'],
  ])('%j names the Hub %s', (env, endpoint) => {
    expect(endpointIn(env)).toBe(endpoint);
  });

  it('refuses an address with a password, and does not show it', () => {
    expect(() => endpointIn({ HF_ENDPOINT: 'https://me:hidden@hub.example' })).toThrow(
      expect.objectContaining({
        code: 'EHUG_USAGE',
        message: 'HF_ENDPOINT must not hold a user name or password',
      }),
    );
  });

  it.each([
    [{}, { http: '', https: '', no: '' }],
    [
      { http_proxy: 'one:1', HTTP_PROXY: 'two:2', HTTPS_PROXY: 'https://three', NO_PROXY: 'a,b' },
      { http: 'http://one:1', https: 'https://three', no: 'a,b' },
    ],
    [
      { ALL_PROXY: 'all:1', NO_PROXY: 'a' },
      { http: 'http://all:1', https: 'http://all:1', no: 'a' },
    ],
    [
      { all_proxy: 'all:1', ALL_PROXY: 'other:2', https_proxy: '', HTTPS_PROXY: 'three:3' },
      { http: 'http://all:1', https: 'http://three:3', no: '' },
    ],
    [
      { http_proxy: 'one:1', no_proxy: '', NO_PROXY: '*' },
      { http: 'http://one:1', https: '', no: '*' },
    ],
  ])('%j names the proxies %j', (env, proxy) => {
    expect(proxyIn(env)).toEqual(proxy);
  });

  it('refuses a proxy of another protocol, and does not show it', () => {
    expect(() => proxyIn({ https_proxy: 'socks5://me:hidden@proxy' })).toThrow(
      expect.objectContaining({
        code: 'EHUG_USAGE',
        message: 'HTTPS_PROXY is not an http or https address',
      }),
    );
  });

  it('refuses ALL_PROXY of another protocol by its name, unless no request would use it', () => {
    const env = { ALL_PROXY: 'socks5://proxy:1080' };
    expect(() => proxyIn(env)).toThrow('ALL_PROXY is not an http or https address');
    const own = { http_proxy: 'a:1', https_proxy: 'b:2' };
    expect(proxyIn({ ...env, ...own })).toMatchObject({ http: 'http://a:1', https: 'http://b:2' });
  });

  it('gives limits in seconds, as the official client reads them', () => {
    expect(timeoutsIn({ HF_HUB_ETAG_TIMEOUT: '2', HF_HUB_DOWNLOAD_TIMEOUT: '0.5' })).toEqual({
      answerTimeoutMs: 2_000,
      readTimeoutMs: 500,
    });
    expect(timeoutsIn({ HF_HUB_ETAG_TIMEOUT: 'soon', HF_HUB_DOWNLOAD_TIMEOUT: '0' })).toEqual({});
  });

  it.each([
    [{}, '/home/me/.cache/nix-hug'],
    [{ XDG_CACHE_HOME: '/cache' }, '/cache/nix-hug'],
    [{ XDG_CACHE_HOME: 'relative' }, '/home/me/.cache/nix-hug'],
  ])('%j puts files in work into %s', (env, folder) => {
    expect(workFolderIn(env, '/home/me')).toBe(folder);
  });

  it.each([
    [undefined, undefined],
    ['', undefined],
    ['auto', undefined],
    ['daemon', undefined],
    ['local', undefined],
    ['local?state=/var', undefined],
    ['local?root=/mnt', '/mnt/nix/store'],
    ['local?state=/var&root=/a+b%20c', '/a+b c/nix/store'],
    ['local?root=/mnt&real=/data/store', '/data/store'],
    ['/mnt', '/mnt/nix/store'],
    ['unix:///socket', null],
    ['ssh-ng://builder', null],
  ])('with NIX_REMOTE=%s reads the store in: %s', (NIX_REMOTE, folder) => {
    expect(storeDiskFolderIn({ NIX_REMOTE })).toBe(folder);
  });

  it('gives Nix no token, and has git-lfs leave files alone unless the user says otherwise', () => {
    const env = { PATH: '/bin', HF_TOKEN: 'hf_secret', HUGGING_FACE_HUB_TOKEN: 'hf_secret' };
    expect(nixEnv(env)).toEqual({ PATH: '/bin', GIT_LFS_SKIP_SMUDGE: '1' });
    expect(nixEnv({ GIT_LFS_SKIP_SMUDGE: '0' })).toEqual({ GIT_LFS_SKIP_SMUDGE: '0' });
  });

  it('has secrets, but hides no text that is too short for one', () => {
    const env = { HF_TOKEN: ' hf_long_enough\n', HUGGING_FACE_HUB_TOKEN: 'short' };
    expect(secretsIn(env)).toEqual(['hf_long_enough']);
  });

  it('ignores what nix-hug sets for programs, and nothing that the user sets', () => {
    const set = { HF_HUB_CACHE: '/c', HUGGINGFACE_HUB_CACHE: '/c', HF_HUB_OFFLINE: '1' };
    const others = { HF_HOME: '/home', NIX_HUG_ENV: '/c' };
    expect(userEnv({ ...set, ...others })).toEqual(others);
    for (const NIX_HUG_ENV of [undefined, '', '/other']) {
      const env = { ...set, NIX_HUG_ENV };
      expect(userEnv(env)).toEqual(env);
    }
    const mine = { ...set, ...others, HF_HUB_CACHE: '/mine' };
    expect(userEnv(mine)).toEqual(mine);
  });

  it.each([
    [{}, {}, true, true],
    [{}, {}, false, false],
    [{}, { FORCE_COLOR: '1' }, false, true],
    [{}, { FORCE_COLOR: '1', NO_COLOR: '1' }, true, false],
    [{}, { NO_COLOR: '' }, true, true],
    [{ color: false }, { FORCE_COLOR: '1' }, true, false],
    [{ color: 'never' }, { FORCE_COLOR: '1' }, true, false],
    [{ color: 'always' }, { NO_COLOR: '1' }, false, true],
    [{ color: 'auto' }, {}, true, true],
    [{ color: 'auto' }, {}, false, false],
  ] as const)('%j and %j on a terminal (%s) mean colours: %s', (options, env, isTTY, isColored) => {
    expect(wantsColor(options, env, { isTTY })).toBe(isColored);
  });
});
