import { type Blob, blobsOf, placesIn, type RepoFile } from '../copy/blob.ts';
import { locateBlobs } from '../copy/locate.ts';
import { EXIT, usageError } from '../errors.ts';
import type { Output } from '../output/json-schema.ts';
import type { CommandResult } from '../output/result.ts';
import { count } from '../output/text.ts';
import type { CommandContext } from '../project/context.ts';
import { type ChosenSnapshot, commandFor, readChosen } from '../project/chosen.ts';
import { entriesText } from '../project/copied.ts';
import type { GroupOptions } from '../project/groups.ts';
import { escapeControls } from '../quote.ts';
import { createCatalog } from '../serve/catalog.ts';
import { parseListen } from '../serve/listen.ts';
import { startServer } from '../serve/server.ts';

export interface ServeOptions extends GroupOptions {
  /** `ADDRESS:PORT`; default `DEFAULT_LISTEN`. */
  readonly listen?: string;
  /** Whether other machines may connect. */
  readonly allowRemote?: boolean;
}

const DEFAULT_LISTEN = '127.0.0.1:8080';

/**
 * `nix-hug serve`: serves what the lock names from this machine, read-only, as a Hub and as a hashed
 * mirror of Nix, until a signal ends it.
 */
export async function run(
  context: CommandContext,
  { listen: where = DEFAULT_LISTEN, allowRemote = false, ...groups }: ServeOptions,
): Promise<CommandResult<Output<'serve'>>> {
  const { signal, warn } = context;
  const listen = parseListen(where);
  if (!listen.isLoopback && !allowRemote) {
    throw usageError(
      `${where} is an address that other machines may reach`,
      'Add --allow-remote: they can then read every file of the lock, those of gated repositories too.',
    );
  }
  const { entries, snapshots, note } = readChosen(context, [], groups, { allGroups: true });
  const catalog = createCatalog(entries, warn);
  const files = await filesByDigest(snapshots, context);
  const fileOf = ({ digest }: RepoFile) => files.get(digest.hex);
  const served = snapshots.map((snapshot) => ({
    snapshot,
    missing: snapshot.files.filter((file) => fileOf(file) === undefined).map(({ path }) => path),
  }));
  const { address, closed } = await startServer({
    catalog,
    fileOf,
    listen,
    allowsAnyHost: allowRemote,
    signal,
    log: context.debug,
  });
  for (const { snapshot, missing } of served) warnOfMissing(snapshot, missing, warn);
  if (!listen.isLoopback) {
    warn(
      `whoever reaches ${address} can read every file of the lock, those of gated repositories too`,
    );
  }
  // No address of this machine, but all of them.
  const reached = address.replace(/\/\/(?:0\.0\.0\.0|\[::\])/u, '//NAME-OF-THIS-MACHINE');
  const all = snapshots.flatMap((snapshot) => snapshot.files).length;
  const line = `serving ${count(all, 'file', 'files')} of ${entriesText(snapshots)}; Ctrl-C ends it`;
  return {
    text: address,
    json: {
      address,
      entries: served.map(({ snapshot, missing }) => ({
        name: snapshot.name,
        type: snapshot.type,
        repo: snapshot.repo,
        ref: snapshot.ref,
        rev: snapshot.rev,
        files: snapshot.files.length,
        missing,
      })),
    },
    note: note === undefined ? line : `${line}\n${note}`,
    next: `HF_ENDPOINT=${reached} for programs, --option hashed-mirrors ${reached} for Nix`,
    running: closed,
    exitStatus: EXIT.ok,
  };
}

/** The files on this machine, by the SHA-256 of their content in hex. */
async function filesByDigest(
  snapshots: readonly ChosenSnapshot[],
  context: CommandContext,
): Promise<ReadonlyMap<string, string>> {
  const blobs: readonly Blob[] = blobsOf(placesIn(snapshots));
  const located = await locateBlobs(blobs, context);
  return new Map([...located].map(([{ digest }, file]) => [digest.hex, file]));
}

/** Paths that a warning names. */
const MAX_NAMED = 3;

function warnOfMissing(
  snapshot: ChosenSnapshot,
  missing: readonly string[],
  warn: (line: string) => void,
): void {
  if (missing.length === 0) return;
  const named = missing.slice(0, MAX_NAMED).map(escapeControls);
  const more = missing.length - named.length;
  const list = more > 0 ? [...named, `${more} more`] : named;
  const files = count(snapshot.files.length, 'file', 'files');
  warn(
    `${snapshot.title}: ${missing.length} of ${files} not on this machine, and answered by 404: ` +
      `${list.join(', ')}; add them with ${commandFor('fetch', [snapshot])}, or without Nix ` +
      `${commandFor('export', [snapshot])}, and start again`,
  );
}
