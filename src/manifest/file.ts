import { readFile, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { type StagedFile, stageFile } from '../atomic-file.ts';
import { HugError, messageOf, systemCodeOf } from '../errors.ts';

/**
 * Prepares a change of a manifest: it is on disk then, beside the file, which stays until `commit`.
 * Between the two no other process can change it by this function, because the waiting text has one
 * name for all: whoever makes it first is alone. The file keeps its permissions and its byte order
 * mark; where it is a symbolic link, the file that it leads to is replaced.
 *
 * @param file path from `locateManifest`
 * @param before the text that the change was made from, as `readManifest` gave it
 * @param after the new text
 * @throws HugError `EHUG_MANIFEST_CHANGED` when the file is not `before` any more or another process
 *   is about to change it; `EHUG_FILE_SYSTEM`, also by `commit`. The file is untouched then.
 */
export async function stageManifestText(
  file: string,
  before: string,
  after: string,
): Promise<StagedFile> {
  try {
    const target = await realpath(file);
    const temporary = path.join(path.dirname(target), `.${path.basename(target)}.tmp`);
    const [mark, { mode }] = await Promise.all([markOf(target), stat(target)]);
    const { commit, discard } = await stageFile(
      target,
      temporary,
      mark + after,
      mode & 0o777,
    ).catch((error: unknown) => {
      throw systemCodeOf(error) === 'EEXIST' ? taken(temporary) : error;
    });
    try {
      await refuseOther(target, mark + before);
    } catch (error) {
      await discard();
      throw error;
    }
    return {
      commit: () =>
        commit().catch((error: unknown) => {
          throw cannotWrite(file, error);
        }),
      discard,
    };
  } catch (error) {
    throw cannotWrite(file, error);
  }
}

async function refuseOther(file: string, text: string): Promise<void> {
  if ((await readFile(file)).equals(Buffer.from(text))) return;
  throw changed(`${file} changed while nix-hug was at work`, 'Run it again.');
}

/** The byte order mark that a file begins with, or nothing. */
async function markOf(file: string): Promise<string> {
  return (await readFile(file, 'utf8')).startsWith('\uFEFF') ? '\uFEFF' : '';
}

/** As git's `index.lock`: nobody but the user knows whether its maker is still at work. */
function taken(temporary: string): HugError {
  return changed(
    `another nix-hug is changing the manifest: there is ${temporary}`,
    'Run it again when that is done. If nothing is at work, delete that file first.',
  );
}

function changed(message: string, hint: string): HugError {
  return new HugError('EHUG_MANIFEST_CHANGED', message, { hint: `Nothing was written. ${hint}` });
}

function cannotWrite(file: string, error: unknown): HugError {
  if (error instanceof HugError) return error;
  return new HugError('EHUG_FILE_SYSTEM', `cannot write ${file}: ${messageOf(error)}`, {
    hint: 'Check that you may write it and its folder.',
    cause: error,
  });
}
