/**
 * nix-hug as a library: read a manifest and a lock, ask a Hub what entries mean, and see what a new
 * lock would change. Nothing here reads the environment, writes a file or prints.
 *
 * @packageDocumentation
 */
export { type ErrorCode, HugError, type HugErrorOptions } from './errors.ts';
export type { NonEmpty } from './collections.ts';
export type { RepoType } from './repo.ts';

export { parseManifest, type ParseOptions } from './manifest/parse.ts';
export type { Manifest, ManifestEntry, Position, Selection, Want } from './manifest/schema.ts';

export { EMPTY_LOCK, formatLock, parseLock } from './lock/codec.ts';
export { diffLocks, type EntryChange, type Pin } from './lock/diff.ts';
export { type NamedEntry, namedEntries } from './lock/entries.ts';
export type { Lock, LockedEntry, LockedFile } from './lock/schema.ts';

export { createHubApi, type HubApi, type Revision } from './hub/api.ts';
export type { ConnectionOptions } from './hub/connection.ts';
export type { Exchange } from './hub/connection.ts';
export type { History } from './hub/history.ts';
export {
  createHttp,
  type Http,
  type HttpOptions,
  type JsonAnswer,
  type RangeAnswer,
  type RangeRequest,
  type RangeTry,
  type TextAnswer,
} from './hub/http.ts';
export type { Subject } from './hub/errors.ts';
export type { RetryPolicy, Wait } from './hub/retry.ts';
export type { TreePin } from './hub/tree.ts';
export type { TreeFile } from './hub/tree.ts';

export { type Drift, driftOf, type Reason } from './resolve/drift.ts';
export {
  createPlainHashes,
  type PlainHashes,
  type ResolveContext,
  type Resolved,
  resolveEntry,
} from './resolve/resolve.ts';
