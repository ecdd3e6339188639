import { createHash } from 'node:crypto';
import type { Content, LfsContent } from './content.ts';

/** A stored LFS object. */
export interface LfsObject {
  /** SHA-256 of the content, 64 hex digits. */
  readonly sha256: string;
  readonly content: Content;
  /** The text git holds instead of the content. */
  readonly pointer: string;
  /** Name of the object on the CDN: 64 hex digits too, but not the digest of the content. */
  readonly cdnHash: string;
}

/** Every LFS object of a hub. Equal contents are one object, whatever repository they are in. */
export class LfsStore {
  readonly #bySha256 = new Map<string, LfsObject>();
  readonly #byPointer = new Map<string, LfsObject>();
  readonly #byCdnHash = new Map<string, LfsObject>();

  async add(lfs: LfsContent): Promise<LfsObject> {
    const sha256 = await lfs.sha256();
    const { content } = lfs;
    const known = this.#bySha256.get(sha256);
    if (known !== undefined) return known;
    const pointer = pointerOf(sha256, content.size);
    const cdnHash = createHash('sha256').update(`cdn ${sha256}`).digest('hex');
    const object = { sha256, content, pointer, cdnHash };
    this.#bySha256.set(sha256, object);
    this.#byPointer.set(blobId(pointer), object);
    this.#byCdnHash.set(cdnHash, object);
    return object;
  }

  /** The object whose pointer is the git blob `oid`; undefined for a plain file. */
  ofPointer(oid: string): LfsObject | undefined {
    return this.#byPointer.get(oid);
  }

  ofCdnHash(hash: string): LfsObject | undefined {
    return this.#byCdnHash.get(hash);
  }
}

/** What git holds for an LFS file of this digest and length in bytes. */
export function pointerOf(sha256: string, size: number): string {
  return `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256}\nsize ${size}\n`;
}

/** Git's name for content: SHA-1 of a header and the bytes, 40 hex digits. */
export function blobId(content: string | Uint8Array): string {
  const bytes = Buffer.from(content);
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}
