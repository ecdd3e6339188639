import path from 'node:path';
import { usageError } from '../errors.ts';
import type { Env } from '../hf-home.ts';
import type { HttpOptions } from '../hub/http.ts';
import { badEndpointReason } from '../address.ts';
import { MIN_SECRET_LENGTH } from '../secrets.ts';

// What the variables of the environment say.

/**
 * The environment of the user, without what nix-hug sets for programs: while `HF_HUB_CACHE` is the cache
 * that `NIX_HUG_ENV` names, the variables of the cache and `HF_HUB_OFFLINE` are for programs alone.
 */
export function userEnv(env: Env): Env {
  const { HF_HUB_CACHE: cache, HUGGINGFACE_HUB_CACHE: _, HF_HUB_OFFLINE: __, ...others } = env;
  return cache !== undefined && cache !== '' && cache === env['NIX_HUG_ENV'] ? others : env;
}

/**
 * `HF_ENDPOINT` without trailing slashes; an empty one counts as none.
 *
 * @throws HugError `EHUG_USAGE`
 */
export function endpointIn(env: Env): string | undefined {
  const endpoint = env['HF_ENDPOINT']?.trim().replace(/\/+$/u, '');
  if (endpoint === undefined || endpoint === '') return undefined;
  const reason = badEndpointReason(endpoint);
  if (reason === undefined) return endpoint;
  throw usageError(
    `HF_ENDPOINT ${reason}`,
    'It is the address of a Hub, such as https://huggingface.co.',
  );
}

/**
 * Proxies, as curl reads them: lower case first, `ALL_PROXY` where a protocol has none, and an empty
 * text counts as unset.
 *
 * @throws HugError `EHUG_USAGE`
 */
export const proxyIn = (env: Env): NonNullable<HttpOptions['proxy']> => ({
  http: proxyAddress(env, ['HTTP_PROXY', 'ALL_PROXY']),
  https: proxyAddress(env, ['HTTPS_PROXY', 'ALL_PROXY']),
  no: env['no_proxy'] || env['NO_PROXY'] || '',
});

/** Address of a proxy; `host:port` alone means http, as for curl. Its value is never shown. */
function proxyAddress(env: Env, names: readonly string[]): string {
  const valueOf = (name: string) => (env[name.toLowerCase()] || env[name] || '').trim();
  const name = names.find((each) => valueOf(each) !== '');
  if (name === undefined) return '';
  const value = valueOf(name);
  const url = value.includes('://') ? value : `http://${value}`;
  if (URL.canParse(url) && /^https?:/iu.test(url)) return url;
  throw usageError(
    `${name} is not an http or https address`,
    `For example: ${name}=http://proxy.example.org:3128`,
  );
}

/** The official client's limits, in seconds there and in ms here. */
export function timeoutsIn(env: Env): { answerTimeoutMs?: number; readTimeoutMs?: number } {
  const answer = Number(env['HF_HUB_ETAG_TIMEOUT']);
  const read = Number(env['HF_HUB_DOWNLOAD_TIMEOUT']);
  return {
    ...(answer > 0 ? { answerTimeoutMs: answer * 1_000 } : {}),
    ...(read > 0 ? { readTimeoutMs: read * 1_000 } : {}),
  };
}

/** Where files are on their way to somewhere: `$XDG_CACHE_HOME/nix-hug`, by the XDG rules. */
export function workFolderIn(env: Env, home: string): string {
  const cache = env['XDG_CACHE_HOME'] ?? '';
  return path.join(path.isAbsolute(cache) ? cache : path.join(home, '.cache'), 'nix-hug');
}

/**
 * Where the files of the store are, by `NIX_REMOTE`: Nix below another root keeps them in another
 * folder than their paths say (Nix manual, "Local Store").
 *
 * @returns the folder; `undefined` for the folder that Nix names, `null` on another machine or behind
 *   a socket
 */
export function storeDiskFolderIn(env: Env): string | undefined | null {
  const remote = env['NIX_REMOTE'] ?? '';
  if (['', 'auto', 'daemon', 'local'].includes(remote)) return undefined;
  if (remote.startsWith('/')) return path.join(remote, 'nix/store');
  const [, settings] = /^local\?(?<settings>.*)$/u.exec(remote) ?? [];
  if (settings === undefined) return null;
  // As Nix does: a plus sign is no space.
  const values = new URLSearchParams(settings.replaceAll('+', '%2B'));
  const root = values.get('root') ?? '';
  return values.get('real') ?? (root === '' ? undefined : path.join(root, 'nix/store'));
}

/**
 * What Nix tools see of the environment: no token, and git-lfs of the user leaves LFS files alone when
 * they fetch a commit, which is for its plain files.
 */
export function nixEnv(env: Env): Env {
  const { HF_TOKEN: _, HUGGING_FACE_HUB_TOKEN: __, ...others } = env;
  return { GIT_LFS_SKIP_SMUDGE: '1', ...others };
}

/** Texts that must never be shown. */
export function secretsIn(env: Env): string[] {
  return [env['HF_TOKEN'], env['HUGGING_FACE_HUB_TOKEN']]
    .map((token) => token?.trim() ?? '')
    .filter((token) => token.length >= MIN_SECRET_LENGTH);
}

/**
 * Whether what goes to a stream has colours: `--color` and `--no-color`, then https://no-color.org, then
 * https://force-color.org, then whether it is a terminal.
 */
export function wantsColor(
  { color = 'auto' }: { readonly color?: boolean | 'auto' | 'always' | 'never' | undefined },
  env: Env,
  stream: { readonly isTTY?: boolean },
): boolean {
  if (color === 'always') return true;
  if (color === false || color === 'never' || (env['NO_COLOR'] ?? '') !== '') return false;
  return (env['FORCE_COLOR'] ?? '') !== '' || stream.isTTY === true;
}
