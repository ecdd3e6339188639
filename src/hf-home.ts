import path from 'node:path';

/** Environment variables. */
export type Env = Readonly<Record<string, string | undefined>>;

/**
 * A path of the environment as huggingface_hub reads it, with Python's `expanduser` and then
 * `expandvars`: a leading `~`, and `$NAME` and `${NAME}` once. A variable that is not set stays as
 * it is, and so does the `~name` of another user, whose home this process cannot tell.
 *
 * @param home the user's home folder
 */
export function expanded(text: string, env: Env, home: string): string {
  return text
    .replace(/^~(?=$|\/)/u, () => home)
    .replace(/\$(?:\{([^}]*)\}|([A-Za-z0-9_]+))/gu, (whole, braced?: string, bare?: string) => {
      return env[braced ?? bare ?? ''] ?? whole;
    });
}

/**
 * `$HF_HOME`, where huggingface_hub keeps token and cache. A variable that is set but empty counts
 * as set and makes the path relative.
 *
 * @param home the user's home folder
 */
export function hubHome(env: Env, home: string): string {
  const cache = env['XDG_CACHE_HOME'] ?? path.join(home, '.cache');
  return expanded(env['HF_HOME'] ?? path.join(cache, 'huggingface'), env, home);
}
