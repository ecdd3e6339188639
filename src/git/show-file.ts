import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Env } from '../hf-home.ts';
import { messageOf, systemCodeOf } from '../errors.ts';
import { asPlainObject } from '../plain-object.ts';

/** A file in a commit of the user's repository, or why there is none. */
export type FileAtRevision =
  | { readonly content: Uint8Array }
  | {
      /** `commit` where the revision is there without the file; `other` is a failure of git. */
      readonly missing: 'git' | 'repository' | 'revision' | 'commit' | 'other';
      /** A clause for a message. */
      readonly reason: string;
    };

/** Variables of the user by which git finds its repository and configuration. */
const KEPT = /^(?:PATH|HOME|XDG_CONFIG_HOME|GIT_.*)$/u;

/** Largest file, in bytes. */
const MAX_BYTES = 512 * 1024 * 1024;

const exec = promisify(execFile);

/**
 * Reads a file as a commit of the repository around its folder has it. Starts no program that the
 * repository names and sends no request, in a partial clone either.
 *
 * @param folder an existing folder, in the repository or not
 * @param name of the file in this folder
 * @param revision as the user writes it
 */
export async function showFile(
  folder: string,
  name: string,
  revision: string,
  { env, signal }: { readonly env: Env; readonly signal: AbortSignal },
): Promise<FileAtRevision> {
  const kept = Object.entries(env).filter(([key]) => KEPT.test(key));
  const git = async (...args: readonly string[]) => {
    const { stdout } = await exec('git', args, {
      cwd: folder,
      encoding: 'buffer',
      maxBuffer: MAX_BYTES,
      signal,
      env: {
        ...Object.fromEntries(kept),
        LC_ALL: 'C',
        GIT_ALLOW_PROTOCOL: 'none',
        GIT_NO_LAZY_FETCH: '1',
        GIT_LITERAL_PATHSPECS: '1',
        GIT_TERMINAL_PROMPT: '0',
      },
    });
    return stdout;
  };
  // What git could read as an option is no revision: it allows none that begins so.
  if (revision.startsWith('-')) return noRevision;
  try {
    const commit = await git('rev-parse', '--verify', '--quiet', `${revision}^{commit}`);
    const listed = await git('ls-tree', '-z', commit.toString().trim(), '--', name);
    const object = /^\d+ blob (?<id>[0-9a-f]+)\t/u.exec(listed.toString())?.groups?.['id'];
    if (object === undefined) return { missing: 'commit', reason: `it has no ${name}` };
    return { content: await git('cat-file', 'blob', object) };
  } catch (error) {
    signal.throwIfAborted();
    return missingBy(error);
  }
}

const noRevision = { missing: 'revision', reason: 'git has no such revision' } as const;

/** What an error of git means. */
function missingBy(error: unknown): FileAtRevision {
  if (systemCodeOf(error) === 'ENOENT') return { missing: 'git', reason: 'git is not on PATH' };
  const { code, stderr } = asPlainObject(error);
  const text = stderr instanceof Uint8Array ? Buffer.from(stderr).toString() : '';
  if (code === 1 && text === '') return noRevision;
  if (text.includes('not a git repository')) {
    return { missing: 'repository', reason: 'its folder is not in a git repository' };
  }
  const [line = messageOf(error)] = /^fatal: .*$/mu.exec(text) ?? [];
  return { missing: 'other', reason: `git says ${line}` };
}
