import { readFile } from 'node:fs/promises';
import { isGitId, isSha256Hex } from '../integrity.ts';
import { isPlainObject } from '../plain-object.ts';

/**
 * What `trees/<commit>.json` expects of a snapshot, by path: the SHA-256 in hex of an LFS file, the
 * git blob id of a plain one, as their blobs are named. The official client writes it since 1.22.
 *
 * @returns nothing where there is no such file, or none that is understood
 */
export async function readExpected(file: string): Promise<ReadonlyMap<string, string>> {
  const expected = new Map<string, string>();
  const tree = await readFile(file, 'utf8').then(parsed, () => undefined);
  const files = isPlainObject(tree) && tree['format_version'] === 1 ? tree['files'] : undefined;
  for (const [path, facts] of Object.entries(isPlainObject(files) ? files : {})) {
    const etag = isPlainObject(facts) ? (facts['lfs_sha256'] ?? facts['blob_id']) : undefined;
    if (typeof etag === 'string' && (isSha256Hex(etag) || isGitId(etag))) expected.set(path, etag);
  }
  return expected;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
