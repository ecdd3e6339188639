import { type RepoType, repoPage } from '../repo.ts';

/**
 * Address of a file's content at a commit.
 *
 * @param file its path, percent-encoded
 */
export function resolveUrl(
  endpoint: string,
  type: RepoType,
  id: string,
  rev: string,
  file: string,
): string {
  return `${repoPage(endpoint, type, id)}/resolve/${rev}/${file}`;
}
