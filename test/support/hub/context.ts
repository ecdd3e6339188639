import type { Standing } from './access.ts';
import type { LfsObject } from './lfs-store.ts';
import { revisionMissing } from './refusals.ts';
import type { HubRequest } from './reply.ts';
import type { Commit, Repository } from './repository.ts';

/** Behaviour of a hub that a test can change while it runs. */
export interface HubOptions {
  /** Most entries on a page of a tree or of commits; with `expand` at most 50. */
  pageSize: number;
  /** Milliseconds before any answer, of the CDN too. */
  latencyMs: number;
  /** Bytes per second that all answers share, as those of one network link. */
  linkBytesPerSecond: number;
  /** Order of tree entries: `hub` is the real one, with folders first, then by bytes. */
  treeOrder: 'hub' | 'reversed' | 'shuffled';
  /** Fields that every tree entry has beside the known ones. */
  extraTreeField: Readonly<Record<string, unknown>>;
}

/** What a handler answers from: a request to a repository that the caller may know of. */
export interface Context {
  readonly request: HubRequest;
  readonly repo: Repository;
  readonly standing: Standing;
  /** Decoded segments after the verb. */
  readonly rest: readonly string[];
  readonly options: HubOptions;
  readonly cdnOrigin: string;
}

/** A revision as requested, the commit it names, and the path that follows it. */
export interface Target {
  readonly revision: string;
  readonly commit: Commit;
  readonly path: string;
}

/**
 * Splits the segments after a verb. A revision is one segment when its slashes are encoded;
 * otherwise the shortest run of segments that names one.
 *
 * @throws Refusal when none does
 */
export function targetOf({ repo, rest }: Context): Target {
  for (let length = 1; length <= rest.length; length += 1) {
    const revision = rest.slice(0, length).join('/');
    const commit = repo.resolve(revision);
    if (commit !== undefined) {
      return { revision, commit, path: rest.slice(length).join('/').replace(/\/$/u, '') };
    }
  }
  throw revisionMissing(rest[0] ?? '');
}

/** Digest of an LFS file as the caller sees it: 64 asterisks when it may not read the content. */
export const shownDigest = ({ standing }: Context, { sha256 }: LfsObject): string =>
  standing === 'granted' ? sha256 : '*'.repeat(sha256.length);

/** Whether a switch such as `expand` is on; clients write `true`, `True` or `1`. */
export const isOn = (value: string | null): boolean => /^(?:true|1)$/iu.test(value ?? '');

/** `Link` to the next page: the same address with all its parameters and some more. */
export function nextLink(
  request: HubRequest,
  parameters: Readonly<Record<string, string>>,
): string {
  const query = new URLSearchParams(request.query);
  for (const [name, value] of Object.entries(parameters)) query.set(name, value);
  return `<${request.base}${request.path}?${query.toString()}>; rel="next"`;
}
