import * as v from 'valibot';
import { isGitId, isSha256Hex } from '../integrity.ts';
import { assertSafePath, pathCollision } from '../safe-path.ts';
import type { Http } from './http.ts';
import { nextPage } from './link.ts';
import type { Subject } from './refusal.ts';
import { checkedReply, senseless } from './reply.ts';

/** One file of a tree. */
export interface TreeFile {
  readonly path: string;
  /** Length of the content in bytes. */
  readonly size: number;
  /** Git blob id; of an LFS file, its pointer's. */
  readonly oid: string;
  /** Present for LFS files: SHA-256 of the content in hex, which a gated repository masks. */
  readonly lfs?: { readonly sha256: string } | 'masked';
  /** Name of the content in Xet storage, for LFS files that are there; masked ones are left out. */
  readonly xetHash?: string;
}

/** More pages than any repository has; the Hub advises at most 100,000 files. */
const MOST_PAGES = 2_000;

/** What the Hub puts in place of a digest for callers without access. */
export const MASK = '*'.repeat(64);

const sizeSchema = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const fileSchema = v.object({
  type: v.literal('file'),
  path: v.string(),
  oid: v.pipe(v.string(), v.check(isGitId, 'is not a git id')),
  size: sizeSchema,
  lfs: v.exactOptional(
    v.object({
      oid: v.pipe(
        v.string(),
        v.check((oid) => isSha256Hex(oid) || oid === MASK, 'is not a SHA-256'),
      ),
      size: sizeSchema,
    }),
  ),
  xetHash: v.exactOptional(v.unknown()),
});

const pageSchema = v.array(
  v.variant('type', [fileSchema, v.object({ type: v.literal('directory') })]),
);

/**
 * Reads a tree to its last page.
 *
 * @param firstPage address of a recursive listing
 * @returns all files; no path is unsafe, none comes twice, none is also a folder
 * @throws HugError `EHUG_UNSAFE_PATH`; `EHUG_PROTOCOL` when the pages contradict each other
 */
export async function readTree(
  http: Http,
  firstPage: string,
  subject: Subject,
): Promise<TreeFile[]> {
  const files = new Map<string, TreeFile>();
  const pages = new Set<string>();
  let page: string | undefined = firstPage;
  while (page !== undefined) {
    if (pages.has(page) || pages.size === MOST_PAGES) {
      throw senseless(subject, `page ${pages.size + 1} of its tree repeats or never ends`);
    }
    pages.add(page);
    const { body, headers } = await http.json(page, subject);
    for (const entry of checkedReply(pageSchema, body, subject)) {
      if (entry.type === 'directory') continue;
      if (files.has(entry.path)) {
        throw senseless(subject, `its tree names ${JSON.stringify(entry.path)} twice`);
      }
      files.set(entry.path, treeFile(entry, subject));
    }
    page = nextPage(headers['link'], page);
  }
  const collision = pathCollision(files.keys());
  if (collision !== undefined) {
    throw senseless(subject, `${JSON.stringify(collision)} is both a file and a folder`);
  }
  return [...files.values()];
}

function treeFile(entry: v.InferOutput<typeof fileSchema>, subject: Subject): TreeFile {
  const { path, oid, size, lfs, xetHash } = entry;
  assertSafePath(path, `${subject.type} ${subject.id}`);
  if (lfs === undefined) return { path, oid, size };
  if (lfs.size !== size) throw senseless(subject, `${JSON.stringify(path)} has two sizes`);
  return {
    path,
    oid,
    size,
    lfs: lfs.oid === MASK ? 'masked' : { sha256: lfs.oid },
    ...(typeof xetHash === 'string' && isSha256Hex(xetHash) ? { xetHash } : {}),
  };
}
