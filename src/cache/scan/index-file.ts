import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { hexOfSri, sriOfText } from '../../digest.ts';
import type { KeptRepo } from './kept-repo.ts';

/**
 * Changes with what is kept, and with what counts as odd: builds of one version of this program may
 * differ in both.
 */
const FORMAT = 1;

/** Where the index of a cache is. */
export interface IndexPlace {
  /** Folder of the indexes of all caches; made when missing. */
  readonly folder: string;
  /** The cache. */
  readonly cache: string;
  /** Of this program: what another one kept may mean something else. */
  readonly version: string;
}

/**
 * What is kept of repositories, by the paths of their folders; nothing when the index is missing,
 * damaged or of another version.
 */
export function readIndex(place: IndexPlace): ReadonlyMap<string, KeptRepo> {
  try {
    const text = readFileSync(fileOf(place), 'utf8');
    const end = text.indexOf('\n');
    const body = text.slice(end + 1);
    if (text.slice(0, end) === headOf(body, place)) {
      return new Map(Object.entries(JSON.parse(body)));
    }
  } catch {
    // As good as none.
  }
  return new Map();
}

/** Writes an index; where that fails, there is none or a damaged one. */
export function writeIndex(place: IndexPlace, kept: ReadonlyMap<string, KeptRepo>): void {
  try {
    const body = JSON.stringify(Object.fromEntries(kept));
    mkdirSync(place.folder, { recursive: true });
    writeFileSync(fileOf(place), `${headOf(body, place)}\n${body}`);
  } catch {
    // A home that cannot be written to, a full disk, or more than one string can hold.
  }
}

/** Two processes may write at once: the digest tells whether what is there is of one of them. */
const headOf = (body: string, { version }: IndexPlace): string =>
  `${FORMAT} ${version} ${sriOfText(body)}`;

/** One for each user and groups: others may not be allowed to read what is kept. */
function fileOf({ folder, cache }: IndexPlace): string {
  const reader = [process.geteuid?.(), ...(process.getgroups?.() ?? [])];
  return path.join(folder, hexOfSri(sriOfText(`${reader.join()} ${cache}`)));
}
