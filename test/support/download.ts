import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createHttp, type HttpOptions } from '../../src/hub/http.ts';
import type { Digest } from '../../src/digest.ts';
import { encodePath } from '../../src/address.ts';
import { createDownloads } from '../../src/download/downloads.ts';
import type { RemoteFile } from '../../src/download/response.ts';
import type { FileContent, Hub, LoggedRequest } from './hub/index.ts';

/** A download that has ended. */
export interface Downloaded {
  /** SHA-256 of the bytes on disk. */
  readonly digest: Digest;
  /** How many bytes were on disk, at each report. */
  readonly presents: readonly number[];
}

/** Where a file comes from and goes to. */
export interface DownloadOptions extends Partial<HttpOptions> {
  readonly endpoint: string;
  /** Folder of partial files. */
  readonly folder: string;
  readonly onBytes?: (present: number) => void;
}

/** Downloads a file with a client of its own, reads it from disk, and discards it. */
export async function downloadFile(
  file: RemoteFile,
  options: DownloadOptions,
): Promise<Downloaded> {
  const { folder, onBytes, signal = new AbortController().signal } = options;
  const retry = { retries: 5, baseMs: 2, longestWaitMs: 5_000 };
  const http = createHttp({ userAgent: 'test', retry, ...options });
  try {
    const presents: number[] = [];
    const download = await createDownloads({ http, folder, signal }).fetch(file, (present) => {
      presents.push(present);
      onBytes?.(present);
    });
    const sha256 = createHash('sha256');
    for await (const chunk of createReadStream(download.path)) sha256.update(chunk);
    await download.discard();
    return { digest: { kind: 'sha256', hex: sha256.digest('hex') }, presents };
  } finally {
    await http.close();
  }
}

/** Puts a file into a new repository of the hub, and describes it as a lock does. */
export async function publish(
  hub: Hub,
  id: string,
  name: string,
  content: FileContent,
): Promise<RemoteFile> {
  const repo = await hub.createRepo({ type: 'model', id });
  const rev = await repo.commit({ files: [[name, content]] });
  const isPlain = typeof content === 'string' || content instanceof Uint8Array;
  return {
    url: `${hub.endpoint}/${id}/resolve/${rev}/${encodePath(name)}`,
    subject: { type: 'model', id, ref: rev, path: name },
    size: isPlain ? Buffer.from(content).length : content.content.size,
    digest: {
      kind: 'sha256',
      hex: isPlain ? createHash('sha256').update(content).digest('hex') : await content.sha256(),
    },
  };
}

/** Bytes that requests to the CDN asked for, of a file of this size. */
export function bytesAskedFor(requests: readonly LoggedRequest[], size: number): number {
  return requests
    .filter(({ origin }) => origin === 'cdn')
    .map(({ range }) => /^bytes=(\d+)-(\d+)$/u.exec(range ?? `bytes=0-${size - 1}`) ?? [])
    .reduce((sum, [, first, last]) => sum + Number(last) + 1 - Number(first), 0);
}
