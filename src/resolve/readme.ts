import { type ErrorCode, HugError } from '../errors.ts';
import type { FileContent } from '../hub/api.ts';
import type { TreeFile } from '../hub/tree.ts';
import type { LockedEntry } from '../lock/schema.ts';
import { type ByContent, createByContent } from './by-content.ts';
import { type License, licenseOf, type ReadLicense } from './license.ts';

/** The file whose front matter declares the licence. */
export const README = 'README.md';

/** Largest README that is read, in bytes; some have images in them. */
const MAX_BYTES = 4 * 1024 * 1024;

/** A README that is not locked may be out of reach: these errors are a warning then. */
const OUT_OF_REACH: ReadonlySet<ErrorCode> = new Set([
  'EHUG_FILE_NOT_FOUND',
  'EHUG_NOT_SERVED',
  'EHUG_FORBIDDEN',
  'EHUG_GATED',
]);

/** Whether a README is small enough to be read. */
export const isReadable = ({ size }: TreeFile): boolean => size <= MAX_BYTES;

/** Licences by the content of READMEs, shared by all entries of a run. */
export type Licenses = ByContent<ReadLicense>;

/**
 * Remembers licences, so that each README is read once.
 *
 * @param entries of an earlier lock
 */
export function createLicenses(entries: Iterable<LockedEntry>): Licenses {
  const known = [...entries].flatMap((entry) => {
    const license = licenseOfEntry(entry);
    const readme = entry.files.get(README);
    return readme === undefined || license === undefined ? [] : [[readme, license] as const];
  });
  return createByContent(known);
}

/**
 * The licence of a locked entry; `undefined` when it is not known, since no Hub has answered for the
 * entry yet.
 */
export function licenseOfEntry({ repoId, license, licenseName }: LockedEntry): License | undefined {
  if (repoId === undefined && license === undefined) return undefined;
  return {
    ...(license === undefined ? {} : { license }),
    ...(licenseName === undefined ? {} : { licenseName }),
  };
}

/**
 * The licence that a README declares. Only a README that is locked stops the run when it cannot be
 * downloaded.
 *
 * @param readme `undefined` when the commit has none
 * @param isLocked whether the selection keeps it
 * @param download gives its checked content
 * @throws HugError those of `download`
 */
export async function readLicense(
  readme: TreeFile | undefined,
  isLocked: boolean,
  licenses: Licenses,
  download: (readme: TreeFile) => Promise<FileContent>,
): Promise<ReadLicense> {
  if (readme === undefined) return {};
  if (readme.lfs === 'masked') return { warning: unread('the Hub masks its digest') };
  if (!isReadable(readme)) return { warning: unread(`it has more than ${MAX_BYTES} bytes`) };
  try {
    return await licenses.get(readme, async () => licenseOf(textOf(await download(readme))));
  } catch (error) {
    const isOutOfReach = error instanceof HugError && OUT_OF_REACH.has(error.code);
    if (isLocked || !isOutOfReach) throw error;
    return { warning: unread(error.message) };
  }
}

const unread = (reason: string): string =>
  `no licence is recorded, since README.md was not read: ${reason}`;

/** Bytes that are not UTF-8 become U+FFFD. */
const textOf = ({ bytes }: FileContent): string => new TextDecoder().decode(bytes);
