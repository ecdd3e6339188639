import { createHash } from 'node:crypto';
import { digestStream } from '../../src/digest.ts';
import type { LockedEntry, LockedFile } from '../../src/lock/schema.ts';
import { pathNames } from '../../src/lock/names.ts';
import { encodePath } from '../../src/address.ts';

/** The content of a repository at one commit. */
export interface Repository {
  /** What its lock entry says. */
  readonly entry: LockedEntry;
  /** Path → content. */
  readonly contents: ReadonlyMap<string, Buffer>;
  /** Path in an address → content, for `serveFiles`. */
  readonly addresses: ReadonlyMap<string, Buffer>;
}

/** What a repository is made of; the commit follows from the id and `commit`. */
export interface RepositoryOptions {
  readonly repo?: string;
  readonly type?: 'model' | 'dataset';
  readonly requested?: string;
  readonly ref?: string;
  readonly commit?: string;
  /** Path → text of plain files. */
  readonly files?: Readonly<Record<string, string>>;
  /** Path → text of LFS files. */
  readonly lfs?: Readonly<Record<string, string>>;
}

/** A made-up commit id. */
export const commitOf = (seed: string): string => createHash('sha1').update(seed).digest('hex');

/** Makes a repository and locks it the way the command line does. */
export async function makeRepository({
  repo = 'org/name',
  type = 'model',
  requested,
  ref = 'main',
  commit = 'first',
  files = {},
  lfs = {},
}: RepositoryOptions): Promise<Repository> {
  const page = type === 'dataset' ? `/datasets/${repo}` : `/${repo}`;
  const rev = commitOf(`${page} ${commit}`);
  const prefix = `${page}/resolve/${rev}/`;
  const made = await Promise.all([
    ...Object.entries(files).map(([path, text]) => makeFile(path, text, false)),
    ...Object.entries(lfs).map(([path, text]) => makeFile(path, text, true)),
  ]);
  return {
    entry: {
      repo,
      ...(requested === undefined ? {} : { requested }),
      ref,
      rev,
      files: new Map(made.map(({ path, file }) => [path, file])),
    },
    contents: new Map(made.map(({ path, content }) => [path, content])),
    addresses: new Map(made.map(({ path, content }) => [prefix + encodePath(path), content])),
  };
}

async function makeFile(path: string, text: string, isLfs: boolean) {
  const content = Buffer.from(text);
  const { size, hash, oid } = await digests(content);
  const sha256 = Buffer.from(hash.slice('sha256-'.length), 'base64').toString('hex');
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256}\nsize ${size}\n`;
  const file: LockedFile = {
    size,
    hash,
    ...(isLfs ? { oid: (await digests(Buffer.from(pointer))).oid, lfs: true } : { oid }),
    ...pathNames(path),
  };
  return { path, content, file };
}

async function digests(content: Buffer) {
  async function* chunks() {
    yield content;
  }
  return digestStream(chunks(), content.length);
}
