import { mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';

// Builds Hugging Face caches for tests, of files and links.

export const REV = 'c'.repeat(40);
export const OTHER = 'd'.repeat(40);
export const REPO = 'models--org--name';
export const SNAPSHOT = `${REPO}/snapshots/${REV}`;
export const BLOB = 'a'.repeat(40);

/** Content by path: the text of a file, or the target of a link. The name of a folder ends in `/`. */
export type Layout = Readonly<Record<string, string | { readonly to: string }>>;

/** A link, for a layout. */
export const link = (to: string) => ({ to });

/** A repository without a problem. */
export const SOUND: Layout = {
  [`${REPO}/blobs/${BLOB}`]: '{}',
  [`${SNAPSHOT}/config.json`]: link(`../../blobs/${BLOB}`),
  [`${REPO}/refs/main`]: REV,
};

/** Makes everything in a layout, and returns the folder. */
export async function fill(folder: string, layout: Layout): Promise<string> {
  for (const [name, content] of Object.entries(layout)) await put(folder, name, content);
  return folder;
}

/** Makes one file, link or folder, with the folders above it. */
export async function put(folder: string, name: string, content: string | { readonly to: string }) {
  const file = path.join(folder, name);
  await mkdir(path.dirname(file), { recursive: true });
  if (name.endsWith('/')) await mkdir(file, { recursive: true });
  else if (typeof content === 'string') await writeFile(file, content);
  else await symlink(content.to, file);
}
