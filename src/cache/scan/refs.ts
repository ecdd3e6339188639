import { closeSync, constants, openSync, readSync } from 'node:fs';
import { isGitId } from '../../digest.ts';
import { unsafeReason } from '../../safe-path.ts';
import { type Folder, list, type Reading } from './folder.ts';
import { attempt } from './problem.ts';

/** A ref is 40 bytes. Whatever is longer than this is none, and is not read to its end. */
const MAX_BYTES = 1024;

/** Where huggingface_hub writes a ref before it renames it. */
const TEMPORARY = /\.[0-9a-f]{8}\.tmp$/u;

/** What operating systems leave in folders; the official client passes over it, too. */
export const SYSTEM_FILES: ReadonlySet<string> = new Set(['.DS_Store', 'Thumbs.db', 'desktop.ini']);

/**
 * The refs of a repository that the official client follows: those whose text is exactly the name
 * of a snapshot.
 *
 * @param folder its folder `refs`
 * @param revisions names of its snapshots
 * @returns the name of the snapshot for each ref (`main`, `refs/pr/1`)
 */
export function readRefs(
  folder: Folder,
  revisions: ReadonlySet<string>,
  reading: Reading,
): Map<string, string> {
  const { report, seen } = reading;
  const refs = new Map<string, string>();
  const walk = ({ at, real }: Folder, prefix: string): void => {
    for (const entry of list({ at, real }, reading) ?? []) {
      const ref = prefix + entry.name;
      const below = { at: `${at}/${entry.name}`, real: `${real}/${entry.name}` };
      const unsafe = unsafeReason(ref);
      if (SYSTEM_FILES.has(entry.name)) continue;
      if (unsafe !== undefined) report('unsafe-name', below.at, unsafe);
      else if (entry.isDirectory()) walk(below, `${ref}/`);
      else if (TEMPORARY.test(ref)) report('incomplete', below.at);
      else if (!entry.isFile() && !entry.isSymbolicLink()) report('not-a-file', below.at);
      else {
        seen.push(below);
        const text = attempt(report, below.at, entry.isSymbolicLink(), () => readStart(below.at));
        if (text === undefined) continue;
        if (revisions.has(text)) refs.set(ref, text);
        else if (isGitId(text)) report('dangling-ref', below.at, text);
        else report('bad-ref', below.at, whyNoCommit(text, revisions));
      }
    }
  };
  walk(folder, '');
  return refs;
}

function whyNoCommit(text: string, revisions: ReadonlySet<string>): string {
  if (text.length > MAX_BYTES) return 'is too long';
  const commit = text.trim().toLowerCase();
  return isGitId(commit) || revisions.has(commit)
    ? 'has more than the commit in lower case'
    : 'holds no commit';
}

/** The first bytes of a file. Waits for nobody, whatever kind of file it is. */
function readStart(at: string): string {
  const fd = openSync(at, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const buffer = Buffer.alloc(MAX_BYTES + 1);
    return buffer.toString('latin1', 0, readSync(fd, buffer));
  } finally {
    closeSync(fd);
  }
}
