import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { ended } from '../ended.ts';

/** Seconds since 1970 of the first commit of every repository. */
export const FIRST_COMMIT_TIME = Date.UTC(2024, 0, 1) / 1000;

/** Name and mail address of every author, committer and tagger. */
const IDENTITY = 'Test Hub <hub@example.invalid>';

/** Mode of a file that can be run, of a symbolic link, and of a submodule. */
export type Mode = '100755' | '120000' | '160000';

/** One change of a commit: new content of a path, or null for its removal; of a submodule its commit. */
export type Change = readonly [path: string, content: string | Uint8Array | null, mode?: Mode];

/** What `fastImportCommit` writes. */
export interface CommitPlan {
  /** Full name of the ref that moves to the commit. */
  readonly ref: string;
  /** Commit whose tree the changes are made on; undefined for a first commit. */
  readonly parent: string | undefined;
  readonly message: string;
  /** Seconds since 1970. */
  readonly time: number;
  readonly changes: readonly Change[];
}

/** One line of `git ls-tree`. */
export interface GitTreeEntry {
  readonly type: 'blob' | 'tree' | 'commit';
  readonly oid: string;
  /** Length of the blob in bytes; 0 for a tree and a submodule. */
  readonly size: number;
  readonly path: string;
}

/** Makes an empty bare repository whose default branch is `main`. */
export async function initBare(gitDir: string): Promise<void> {
  await mkdir(gitDir, { recursive: true });
  await git(gitDir, ['init', '--quiet', '--bare', '--template=', '--initial-branch=main']);
}

/** Makes one commit in one process, however many files it has, and returns its id. */
export async function fastImportCommit(gitDir: string, plan: CommitPlan): Promise<string> {
  const signature = `${IDENTITY} ${plan.time} +0000`;
  const stream = [
    `commit ${plan.ref}\nmark :1\nauthor ${signature}\ncommitter ${signature}\n`,
    ...data(plan.message),
    plan.parent === undefined ? '' : `from ${plan.parent}\n`,
    ...plan.changes.flatMap(([path, content, mode = '100644']) => {
      if (content === null) return [`D ${quoted(path)}\n`];
      if (mode === '160000') return [`M ${mode} ${content.toString()} ${quoted(path)}\n`];
      return [`M ${mode} inline ${quoted(path)}\n`, ...data(content)];
    }),
    'get-mark :1\ndone\n',
  ];
  const input = Buffer.concat(stream.map((part) => Buffer.from(part)));
  return (await git(gitDir, ['fast-import', '--quiet', '--done', '--force'], input)).trim();
}

/** Points a ref at a commit. */
export async function updateRef(gitDir: string, ref: string, commit: string): Promise<void> {
  await git(gitDir, ['update-ref', ref, commit]);
}

/** Removes a ref. */
export async function deleteRef(gitDir: string, ref: string): Promise<void> {
  await git(gitDir, ['update-ref', '-d', ref]);
}

/** Makes an annotated tag and returns the id of the tag object. */
export async function annotatedTag(
  gitDir: string,
  name: string,
  commit: string,
  time: number,
): Promise<string> {
  const body = `object ${commit}\ntype commit\ntag ${name}\ntagger ${IDENTITY} ${time} +0000\n\n${name}\n`;
  const id = (await git(gitDir, ['mktag'], Buffer.from(body))).trim();
  await updateRef(gitDir, `refs/tags/${name}`, id);
  return id;
}

/** Every file and folder of a commit, at all depths. */
export async function listTree(gitDir: string, commit: string): Promise<GitTreeEntry[]> {
  const lines = await git(gitDir, ['ls-tree', '-r', '-t', '-l', '-z', '--full-tree', commit]);
  return lines
    .split('\0')
    .filter((line) => line !== '')
    .map((line) => {
      const tab = line.indexOf('\t');
      const path = line.slice(tab + 1);
      const [, type, oid = '', size] = line.slice(0, tab).split(/ +/u);
      return type === 'tree' || type === 'commit'
        ? { type, oid, size: 0, path }
        : { type: 'blob', oid, size: Number(size), path };
    });
}

/** Removes every object that no ref reaches. */
export async function prune(gitDir: string): Promise<void> {
  await git(gitDir, ['gc', '--quiet', '--prune=now']);
}

/** Runs git on a repository, unaffected by the configuration of the machine and the user. */
async function git(gitDir: string, args: readonly string[], input?: Uint8Array): Promise<string> {
  const child = spawn('git', ['--git-dir', gitDir, ...args], {
    env: {
      PATH: process.env['PATH'],
      LC_ALL: 'C',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_CONFIG_SYSTEM: '/dev/null',
    },
  });
  // A git that ends early closes its input; its exit status and stderr say why.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const { stdout, stderr, status } = await ended(child);
  if (status !== 0) throw new Error(`git ${args[0]} failed: ${stderr}`);
  return stdout;
}

function data(content: string | Uint8Array): (string | Uint8Array)[] {
  return [`data ${Buffer.byteLength(content)}\n`, content, '\n'];
}

/** A path as a C string, the only form in which fast-import takes every path. */
function quoted(path: string): string {
  const escaped = path.replace(/["\\]/gu, String.raw`\$&`).replaceAll('\n', String.raw`\n`);
  return `"${escaped}"`;
}
