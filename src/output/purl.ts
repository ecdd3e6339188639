import { DEFAULT_ENDPOINT, encodeSegment } from '../address.ts';
import type { RepoType } from '../repo.ts';

/** A repository at a commit. */
interface RepoCommit {
  readonly type: RepoType;
  readonly repo: string;
  readonly rev: string;
  /** Address of the Hub, without a final slash. */
  readonly endpoint: string;
}

/**
 * The package URL of a repository at a commit (ECMA-427, type `huggingface`):
 * `pkg:huggingface/org/name@COMMIT`, for a dataset `pkg:huggingface/datasets/org/name@COMMIT`. A Hub
 * other than huggingface.co is named by `repository_url`. `nix/purl.nix` gives the same.
 */
export function purlOf({ type, repo, rev, endpoint }: RepoCommit): string {
  const purl = `pkg:huggingface/${type === 'dataset' ? 'datasets/' : ''}${repo}@${rev}`;
  return endpoint === DEFAULT_ENDPOINT
    ? purl
    : `${purl}?repository_url=${encodeSegment(endpoint).replaceAll('%3A', ':')}`;
}
