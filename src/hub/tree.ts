import { isGitId, isSha256Hex, sriOfContent } from '../digest.ts';
import { HugError } from '../errors.ts';
import { quote } from '../quote.ts';
import { assertSafePath, pathCollision } from '../safe-path.ts';
import { parseJson } from './answer.ts';
import { type Subject, checkedReply, nameOf, protocolError, invalidReply } from './errors.ts';
import type { Http } from './http.ts';
import * as v from 'valibot';

const LINK = /<(?<target>[^<>]*)>(?<parameters>[^<]*)/gu;
const NEXT = /;\s*rel\s*=\s*(?:"(?:[^"]*\s)?next(?:\s[^"]*)?"|next\s*(?:[;,]|$))/iu;

/**
 * The target of `rel="next"` in a `Link` header (RFC 8288), made absolute.
 *
 * @param header value of the header; several as a list, or joined by commas
 * @param base address of the response
 * @returns `undefined` after the last page
 * @throws HugError `EHUG_PROTOCOL` for an invalid address, since the files of that page would be missing
 */
export function nextPage(
  header: string | readonly string[] | undefined,
  base: string,
): string | undefined {
  const text = typeof header === 'string' ? header : (header ?? []).join(', ');
  for (const { groups } of text.matchAll(LINK)) {
    if (groups?.['target'] !== undefined && NEXT.test(groups['parameters'] ?? '')) {
      if (URL.canParse(groups['target'], base)) return new URL(groups['target'], base).href;
      throw invalidNextPage();
    }
  }
  return undefined;
}

/**
 * The same page of the endpoint: a mirror may pass on the links of the Hub behind it, and neither a
 * request nor the token follows them there.
 */
export function atEndpoint(page: string, endpoint: string): string {
  const { protocol, pathname, search } = new URL(page);
  if (!/^https?:$/u.test(protocol)) throw invalidNextPage();
  const { origin, pathname: base } = new URL(`${endpoint}/`);
  return origin + (pathname.startsWith(base) ? '' : base.slice(0, -1)) + pathname + search;
}

const invalidNextPage = () => protocolError('the Hub sent an invalid address of the next page');

/** One file of a tree. */
export interface TreeFile {
  readonly path: string;
  /** Length of the content in bytes. */
  readonly size: number;
  /** Git blob id; of an LFS file, its pointer's. */
  readonly oid: string;
  /** Present for LFS files: SHA-256 of the content in hex; a gated repository masks it. */
  readonly lfs?: { readonly sha256: string } | 'masked';
  /** Name of the content in Xet storage; absent for files that are not there, or masked. */
  readonly xetHash?: string;
}

/** More than any repository has; the Hub recommends at most 100,000 files. */
const MAX_PAGES = 2_000;

/** Largest page, in bytes; one of 1,000 entries has under 1 MB. */
const MAX_PAGE_BYTES = 8 * 1024 * 1024;

/** Sent in place of a digest to callers without access. */
const MASK = '*'.repeat(64);

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

/** A folder, a submodule, a symbolic link, or what the Hub may think of later. */
const otherType = v.pipe(
  v.string(),
  v.check((type) => type !== 'file'),
);

const pageSchema = v.array(v.variant('type', [fileSchema, v.object({ type: otherType })]));

/** Types of other entries that a warning names. */
const MAX_NAMED = 5;

/**
 * Reads a tree to its last page. Entries that are neither files nor folders are left out.
 *
 * @param firstPage address of a recursive listing
 * @param warn told of what else is left out, beside folders
 * @returns all files; every path is safe and unique, and none is also a folder
 * @throws HugError `EHUG_UNSAFE_PATH`; `EHUG_PROTOCOL` when the pages contradict each other
 */
export async function readTree(
  http: Http,
  firstPage: string,
  subject: Subject,
  warn: (line: string) => void,
): Promise<TreeFile[]> {
  const files = new Map<string, TreeFile>();
  const skipped: string[] = [];
  const pages = new Set<string>();
  let page: string | undefined = firstPage;
  while (page !== undefined) {
    if (pages.has(page) || pages.size === MAX_PAGES) {
      throw invalidReply(
        subject,
        `page ${pages.size + 1} of its tree repeats, or the pages do not end`,
      );
    }
    pages.add(page);
    const { body, headers } = await http.json(page, subject, MAX_PAGE_BYTES);
    for (const entry of checkedReply(pageSchema, body, subject)) {
      if (!('path' in entry)) {
        if (entry.type !== 'directory') skipped.push(entry.type);
        continue;
      }
      if (files.has(entry.path)) {
        throw invalidReply(subject, `its tree has ${JSON.stringify(entry.path)} twice`);
      }
      files.set(entry.path, treeFile(entry, subject));
    }
    const next = nextPage(headers['link'], page);
    page = next === undefined ? undefined : atEndpoint(next, http.endpoint);
  }
  if (skipped.length > 0) {
    const types = [...new Set(skipped)].slice(0, MAX_NAMED).map(quote).join(', ');
    warn(
      `skipped entries that are no files in ${nameOf(subject)}: ${skipped.length} of type ${types}`,
    );
  }
  const collision = pathCollision(files.keys());
  if (collision !== undefined) {
    throw invalidReply(subject, `${JSON.stringify(collision)} is both a file and a folder`);
  }
  return [...files.values()];
}

function treeFile(entry: v.InferOutput<typeof fileSchema>, subject: Subject): TreeFile {
  const { path, oid, size, lfs, xetHash } = entry;
  assertSafePath(path, `${subject.type} ${subject.id}`);
  if (lfs === undefined) return { path, oid, size };
  if (lfs.size !== size) throw invalidReply(subject, `${JSON.stringify(path)} has two sizes`);
  return {
    path,
    oid,
    size,
    lfs: lfs.oid === MASK ? 'masked' : { sha256: lfs.oid },
    ...(typeof xetHash === 'string' && isSha256Hex(xetHash) ? { xetHash } : {}),
  };
}

/**
 * SHA-256, in SRI form, of the Hub's response about a tree; or why Nix cannot use it: it has several
 * `pages`, or it is `closed` to requests without a token.
 */
export type TreePin = { readonly hash: string } | { readonly obstacle: 'pages' | 'closed' };

/** Entries of a full page. Nix cannot see whether another page follows, so it refuses a full one. */
const PAGE_SIZE = 1_000;

/**
 * Requests a tree as Nix does.
 *
 * @param address the address that Nix requests
 */
export async function pinTree(http: Http, address: string, subject: Subject): Promise<TreePin> {
  const response = await http.publicText(address, subject, MAX_PAGE_BYTES).catch(closedAsUndefined);
  if (response === undefined) return { obstacle: 'closed' };
  const { text, headers } = response;
  const entries = checkedReply(v.array(v.unknown()), parseJson(text, address), subject);
  const hasNext = nextPage(headers['link'], address) !== undefined;
  if (hasNext || entries.length >= PAGE_SIZE) return { obstacle: 'pages' };
  return text.includes(`"${MASK}"`) ? { obstacle: 'closed' } : { hash: sriOfContent(text) };
}

/** The token could read the repository, so a 404 without it means private, not missing. */
function closedAsUndefined(error: unknown): undefined {
  const codes = ['EHUG_REPO_NOT_FOUND', 'EHUG_GATED', 'EHUG_FORBIDDEN'];
  if (error instanceof HugError && codes.includes(error.code)) return undefined;
  throw error;
}
