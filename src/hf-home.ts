import path from 'node:path';

/** Environment variables. */
export type Env = Readonly<Record<string, string | undefined>>;

/**
 * The Hugging Face cache: `$HF_HUB_CACHE`, `$HUGGINGFACE_HUB_CACHE` or `$HF_HOME/hub`, by the rules
 * of huggingface_hub (`constants.py`). A variable that is set but empty counts as set.
 *
 * @param home the user's home folder
 * @returns a path that may be relative
 */
export function cacheFolderIn(env: Env, home: string): string {
  const set = env['HF_HUB_CACHE'] ?? env['HUGGINGFACE_HUB_CACHE'];
  return set === undefined ? path.join(hfHome(env, home), 'hub') : expandPath(set, env, home);
}

/**
 * The file with the token: `$HF_TOKEN_PATH` or `$HF_HOME/token`.
 *
 * @param home the user's home folder
 * @returns a path that may be relative
 */
export function tokenFileIn(env: Env, home: string): string {
  const set = env['HF_TOKEN_PATH'];
  return set === undefined ? path.join(hfHome(env, home), 'token') : expandPath(set, env, home);
}

/** `$HF_HOME`, `$XDG_CACHE_HOME/huggingface` or `~/.cache/huggingface`. */
function hfHome(env: Env, home: string): string {
  const cache = env['XDG_CACHE_HOME'] ?? path.join(home, '.cache');
  return expandPath(env['HF_HOME'] ?? path.join(cache, 'huggingface'), env, home);
}

/**
 * Expands a path as huggingface_hub does, with Python's `expanduser` and then `expandvars`: a leading
 * `~`, then `$NAME` and `${NAME}` once. Unset variables and the `~name` of another user stay as they
 * are written.
 */
function expandPath(text: string, env: Env, home: string): string {
  return text
    .replace(/^~(?=$|\/)/u, () => home)
    .replace(/\$(?:\{([^}]*)\}|([A-Za-z0-9_]+))/gu, (whole, braced?: string, bare?: string) => {
      return env[braced ?? bare ?? ''] ?? whole;
    });
}
