/**
 * nix-hug as a library: read a manifest, read and write the text of a lock, resolve entries on a Hub,
 * and compare locks. Nothing here reads the environment, writes a file or prints.
 *
 * @packageDocumentation
 */
export { type ErrorCode, HugError } from './errors.ts';
export type { RepoType } from './repo.ts';

export { parseManifest } from './manifest/parse.ts';
export type { Manifest, ManifestEntry } from './manifest/schema.ts';

export { EMPTY_LOCK, formatLock, parseLock } from './lock/codec.ts';
export { diffLocks, type EntryChange } from './lock/diff.ts';
export type { Lock, LockedEntry, LockedFile } from './lock/schema.ts';

export { createHubApi, type HubApi } from './hub/api.ts';
export { createHttp } from './hub/http.ts';

export { driftOf } from './resolve/drift.ts';
export { createPlainHashes, resolveEntry } from './resolve/resolve.ts';
