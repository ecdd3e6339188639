import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Readable, Writable } from 'node:stream';

/** Runs git on one repository, see `runGit`. */
export type Git = <T>(
  args: readonly string[],
  consume: (stdin: Writable, stdout: Readable) => Promise<T>,
) => Promise<T>;

/** An object to read. */
export interface ObjectRequest {
  /** As git names it. */
  readonly name: string;
  /** Its largest length in bytes; a longer one is an error. */
  readonly maxBytes: number;
  readonly use: (content: Buffer) => void | Promise<void>;
}

/**
 * Makes an empty bare repository, as `git init` does, whose configuration leaves nothing to chance:
 * no hooks, no redirects, no clean-up in the background, every object checked and all of them in one
 * file.
 *
 * @param folder an empty one
 * @param silenceMs longest time with fewer than 1 KiB a second
 */
export async function initRepository(folder: string, silenceMs: number): Promise<void> {
  await mkdir(path.join(folder, 'objects'));
  await mkdir(path.join(folder, 'refs'));
  await writeFile(path.join(folder, 'HEAD'), 'ref: refs/heads/main\n');
  await writeFile(
    path.join(folder, 'config'),
    `[core]
  repositoryFormatVersion = 0
  bare = true
  hooksPath = /dev/null
  bigFileThreshold = 16m
  packedGitWindowSize = 32m
  packedGitLimit = 256m
  fsync = none
[fetch]
  fsckObjects = true
  unpackLimit = 1
  writeCommitGraph = false
[gc]
  auto = 0
[maintenance]
  auto = false
[http]
  followRedirects = false
  lowSpeedLimit = 1024
  lowSpeedTime = ${Math.ceil(silenceMs / 1_000)}
[pack]
  threads = 1
[protocol]
  version = 2
`,
  );
}

/**
 * Fetches one commit without its history. The progress that git prints ends it soon after this process
 * is killed.
 *
 * @param name a commit, or a ref
 */
export async function fetchCommit(git: Git, address: string, name: string): Promise<void> {
  const options = ['--depth=1', '--no-tags', '--no-recurse-submodules', '--progress'];
  await git(['fetch', ...options, '--', address, name], async (_stdin, stdout) => {
    stdout.resume();
  });
}

/**
 * Reads objects in one process, in their order.
 *
 * @throws Error when one is missing or too long
 */
export async function readObjects(git: Git, objects: readonly ObjectRequest[]): Promise<void> {
  await git(['cat-file', '--batch'], async (stdin, stdout) => {
    stdin.end(objects.map(({ name }) => `${name}\n`).join(''));
    const reader = createReader(stdout);
    for (const { name, maxBytes, use } of objects) {
      const size = Number(/ (\d+)$/u.exec(await reader.line())?.[1]);
      if (Number.isNaN(size)) throw new Error(`the pack has no object ${name}`);
      if (size > maxBytes) throw new Error(`the pack has ${size} bytes for the object ${name}`);
      const content = await reader.bytes(size + 1);
      await use(content.subarray(0, size));
    }
  });
}

const LINE_FEED = 0x0a;

/** Reads lines and numbers of bytes from a stream; throws when it ends too early. */
function createReader(stream: Readable) {
  const chunks: AsyncIterator<Buffer> = stream[Symbol.asyncIterator]();
  let buffer: Buffer = Buffer.alloc(0);

  /** Reads until so many bytes are there. */
  async function fill(length: number): Promise<void> {
    const parts = [buffer];
    for (let missing = length - buffer.length; missing > 0;) {
      const { done = false, value } = await chunks.next();
      if (done) throw new Error('git ended too early');
      parts.push(value);
      missing -= value.length;
    }
    buffer = Buffer.concat(parts);
  }

  async function bytes(length: number): Promise<Buffer> {
    if (buffer.length < length) await fill(length);
    const taken = buffer.subarray(0, length);
    buffer = buffer.subarray(length);
    return taken;
  }

  return {
    bytes,
    async line(): Promise<string> {
      while (!buffer.includes(LINE_FEED)) await fill(buffer.length + 1);
      return (await bytes(buffer.indexOf(LINE_FEED) + 1)).toString().trimEnd();
    },
  };
}
