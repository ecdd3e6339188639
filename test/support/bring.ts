import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createHttp, type HttpOptions } from '../../src/hub/http.ts';
import { digestStream, sriOfHex } from '../../src/digest.ts';
import { encodePath } from '../../src/repo.ts';
import type { RemoteFile } from '../../src/download/answer.ts';
import { createDownloads } from '../../src/download/downloads.ts';
import type { FileContent, Hub, LoggedRequest } from './hub/index.ts';

/** How a file came. */
export interface Bringing {
  /** SHA-256 of what stood on disk, SRI. */
  readonly hash: string;
  /** How many bytes were there, at each report. */
  readonly presents: readonly number[];
}

/** Where a file comes from and goes to. */
export interface BringOptions extends Partial<HttpOptions> {
  readonly endpoint: string;
  /** Folder of partial files. */
  readonly folder: string;
  readonly onBytes?: (present: number) => void;
}

/** Brings a file with a client of its own, reads it from disk, and discards it. */
export async function bring(file: RemoteFile, options: BringOptions): Promise<Bringing> {
  const { folder, onBytes, signal = new AbortController().signal } = options;
  const retry = { retries: 5, baseMs: 2, longestWaitMs: 5_000 };
  const http = createHttp({ userAgent: 'test', retry, ...options });
  try {
    const presents: number[] = [];
    const download = await createDownloads({ http, folder, signal }).fetch(file, (present) => {
      presents.push(present);
      onBytes?.(present);
    });
    const { hash } = await digestStream(createReadStream(download.path), file.size);
    await download.discard();
    return { hash, presents };
  } finally {
    await http.close();
  }
}

/** A file at the Hub, also with its SHA-256 in SRI form. */
export interface PublishedFile extends RemoteFile {
  readonly hash: string;
}

/** Puts a file into a new repository of the hub, and describes it as a lock does. */
export async function publish(
  hub: Hub,
  id: string,
  name: string,
  content: FileContent,
): Promise<PublishedFile> {
  const repo = await hub.createRepo({ type: 'model', id });
  const rev = await repo.commit({ files: [[name, content]] });
  const isPlain = typeof content === 'string' || content instanceof Uint8Array;
  const hex = isPlain ? createHash('sha256').update(content).digest('hex') : await content.sha256();
  return {
    url: `${hub.endpoint}/${id}/resolve/${rev}/${encodePath(name)}`,
    subject: { type: 'model', id, ref: rev, path: name },
    size: isPlain ? Buffer.from(content).length : content.content.size,
    digest: { kind: 'sha256', hex },
    hash: sriOfHex(hex),
  };
}

/** Bytes that requests to the CDN asked for, of a file of this size. */
export function bytesAskedFor(requests: readonly LoggedRequest[], size: number): number {
  return requests
    .filter(({ origin }) => origin === 'cdn')
    .map(({ range }) => /^bytes=(\d+)-(\d+)$/u.exec(range ?? `bytes=0-${size - 1}`) ?? [])
    .reduce((sum, [, first, last]) => sum + Number(last) + 1 - Number(first), 0);
}
