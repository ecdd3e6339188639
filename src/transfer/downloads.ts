import { type FileHandle, mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import path from 'node:path';
import { HugError } from '../errors.ts';
import type { Http } from '../hub/http.ts';
import type { Subject } from '../hub/refusal.ts';
import { hashStream } from '../integrity.ts';

/** A file whose size and digest are known beforehand. */
interface File {
  /** Address on the endpoint's origin. */
  readonly url: string;
  readonly subject: Subject;
  /** Length in bytes. */
  readonly size: number;
  /** SHA-256 of the content in SRI form. */
  readonly hash: string;
}

/** A complete file whose digest is right. */
interface Download {
  /** To be linked or moved away. */
  readonly path: string;
  /** Removes what is left of it; to be called when the file was taken, or is not wanted. */
  discard(): Promise<void>;
}

/** Brings files to disk. */
export interface Downloads {
  /**
   * Brings a file.
   *
   * @param onBytes told how many bytes of the file are there; fewer than before when it starts again
   * @throws HugError `EHUG_INTEGRITY`, and those of `Http`
   */
  fetch(file: File, onBytes: (present: number) => void): Promise<Download>;
}

/** How to bring files. */
export interface DownloadsOptions {
  readonly http: Http;
  /** Folder of files on their way; made when missing. */
  readonly folder: string;
}

/** Makes a download engine that brings each file by one request, from the start. */
export function createDownloads({ http, folder }: DownloadsOptions): Downloads {
  return {
    async fetch(file, onBytes) {
      await mkdir(folder, { recursive: true });
      const own = await mkdtemp(path.join(folder, 'download-'));
      const target = path.join(own, 'content');
      const discard = () => rm(own, { recursive: true, force: true });
      try {
        await http.download(file.url, file.subject, (body) => write(body, target, file, onBytes));
        return { path: target, discard };
      } catch (error) {
        await discard();
        throw error;
      }
    },
  };
}

async function write(
  body: AsyncIterable<Uint8Array>,
  target: string,
  file: File,
  onBytes: (present: number) => void,
): Promise<void> {
  const handle = await open(target, 'w');
  try {
    const got = await hashStream(written(body, handle), onBytes);
    if (got.hash !== file.hash) throw wrongHash(file, got.hash);
  } finally {
    await handle.close();
  }
}

function wrongHash(file: File, hash: string): HugError {
  const { type, id, path: name = '' } = file.subject;
  return new HugError(
    'EHUG_INTEGRITY',
    `${JSON.stringify(name)} of ${type} ${id} has the digest ${hash}, expected ${file.hash}`,
    { hint: 'Nothing was stored. Run it again; if it stays, the mirror or proxy alters files.' },
  );
}

/** The chunks, each once it is in the file. */
async function* written(body: AsyncIterable<Uint8Array>, handle: FileHandle) {
  for await (const chunk of body) {
    await handle.appendFile(chunk);
    yield chunk;
  }
}
