import path from 'node:path';
import { HugError, messageOf, systemCodeOf } from '../errors.ts';
import { type Env, tokenFileIn } from '../hf-home.ts';
import { readRegularFile } from '../regular-file.ts';

/** Values that the official client takes as true, in upper or lower case. */
const TRUE = /^(?:1|on|yes|true)$/iu;

/** Whether an environment variable is on, by the rules of huggingface_hub. */
export const isOn = (value: string | undefined): boolean => TRUE.test(value ?? '');

/**
 * The token to send: `HF_TOKEN`, `HUGGING_FACE_HUB_TOKEN`, or the file at `HF_TOKEN_PATH`
 * (default `$HF_HOME/token`). Values are trimmed; an empty one counts as unset.
 *
 * @param env environment variables
 * @param home the user's home folder
 * @param cwd base of relative paths in the environment
 * @returns `undefined` without a token, or when `HF_HUB_DISABLE_IMPLICIT_TOKEN` is on
 * @throws HugError `EHUG_TOKEN` when a header cannot hold the token, which is never shown
 */
export async function findToken(
  env: Env,
  { home, cwd }: { readonly home: string; readonly cwd: string },
): Promise<string | undefined> {
  if (isOn(env['HF_HUB_DISABLE_IMPLICIT_TOKEN'])) return undefined;
  const token =
    env['HF_TOKEN']?.trim() ||
    env['HUGGING_FACE_HUB_TOKEN']?.trim() ||
    (await readTokenFile(path.resolve(cwd, tokenFileIn(env, home)))).trim();
  if (token === '') return undefined;
  if (!/^[\u0021-\u007e]+$/u.test(token)) {
    throw new HugError('EHUG_TOKEN', 'the token has characters that are not allowed in a token', {
      hint: 'Check HF_TOKEN, HUGGING_FACE_HUB_TOKEN and the token file.',
    });
  }
  return token;
}

async function readTokenFile(file: string): Promise<string> {
  try {
    return await readRegularFile(file);
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT' || systemCodeOf(error) === 'ENOTDIR') return '';
    throw new HugError('EHUG_TOKEN', `cannot read the token file ${file}: ${messageOf(error)}`, {
      hint: 'Check its permissions, or set HF_TOKEN_PATH to another file.',
      cause: error,
    });
  }
}
