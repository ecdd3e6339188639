import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { tempFolder } from './temp.ts';

const exec = promisify(execFile);

/**
 * The text that the real git leaves when it cannot merge.
 *
 * @param style value of git's `merge.conflictStyle`
 * @param versions base, ours, theirs
 */
export async function conflictedByGit(
  style: 'merge' | 'diff3' | 'zdiff3',
  versions: readonly string[],
): Promise<string> {
  const folder = await tempFolder();
  const names = ['base', 'ours', 'theirs'];
  await Promise.all(
    names.map((name, index) => writeFile(path.join(folder, name), versions[index] ?? '')),
  );
  const styleOption = style === 'merge' ? [] : [`--${style}`];
  const merged = exec('git', ['merge-file', '-p', ...styleOption, 'ours', 'base', 'theirs'], {
    cwd: folder,
  });
  return merged.then(
    () => Promise.reject(new Error('git merged without a conflict')),
    ({ stdout, code }: { stdout: string; code: number }) => {
      if (code < 1 || code > 127) throw new Error(`git merge-file ended with ${code}`);
      return stdout;
    },
  );
}
