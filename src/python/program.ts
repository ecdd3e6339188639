import path from 'node:path';
import { mentionsIn } from './mentions.ts';
import type { SourcePlace } from './notebook.ts';
import type { LoadedRepo } from './read-call.ts';
import { findSources, readSource } from './sources.ts';

/** A repository that a call loads, and where that call is. */
export interface PlacedRepo extends LoadedRepo {
  /** File and line, as `src/train.py:12`. */
  readonly place: string;
}

interface FoundRepo extends PlacedRepo {
  /** Absolute path of the source. */
  readonly file: string;
}

/** A call that loads what its source does not tell. */
interface PlacedUnknown {
  readonly place: string;
  readonly call: string;
  readonly reason: string | null;
}

/** What the sources of a program load of the Hub. */
export interface Program {
  readonly repos: readonly PlacedRepo[];
  readonly unknown: readonly PlacedUnknown[];
  /** Number of files that were read. */
  readonly sources: number;
}

export interface ProgramOptions {
  /** Folder that the places are relative to. */
  readonly folder: string;
  /** Whether a file or folder has this path: where it does, a call with the name loads that. */
  readonly isThere: (file: string) => boolean;
  readonly warn: (line: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Reads what Python files, notebooks, and those below folders load of the Hub.
 *
 * @param paths absolute paths
 * @throws HugError `EHUG_FILE_SYSTEM` when one of the paths cannot be read; the reason of the signal
 */
export async function readProgram(
  paths: readonly string[],
  { folder, isThere, warn, signal }: ProgramOptions,
): Promise<Program> {
  const repos: FoundRepo[] = [];
  const unknown: PlacedUnknown[] = [];
  const written = new Set<string>();
  let sources = 0;
  for (const found of await findSources(paths, warn)) {
    signal.throwIfAborted();
    const source = await readSource(found, warn);
    if (source === undefined) continue;
    sources += 1;
    const { file } = found;
    const placeOf = (line: number) => shownPlace(path.relative(folder, file), source.placeOf(line));
    const mentions = mentionsIn(source.text);
    for (const { line, ...repo } of mentions.loaded) {
      repos.push({ ...repo, place: placeOf(line), file });
    }
    for (const { line, text, reason = null } of mentions.unknown) {
      unknown.push({ place: placeOf(line), call: text, reason });
    }
    for (const one of mentions.written) written.add(one);
  }
  const localReason = ({ id, mayBePath, file }: FoundRepo): string | undefined => {
    if (!mayBePath) return undefined;
    const [first = ''] = id.split('/', 1);
    if (written.has(id) || written.has(first)) return 'a folder that the program writes';
    const places = [folder, path.dirname(file)].map((base) => path.join(base, id));
    return places.some(isThere) ? 'there is a file or folder of this name' : undefined;
  };
  const remote: PlacedRepo[] = [];
  for (const { file, ...repo } of repos) {
    const reason = localReason({ ...repo, file });
    if (reason === undefined) remote.push(repo);
    else unknown.push({ place: repo.place, call: JSON.stringify(repo.id), reason });
  }
  return { repos: remote, unknown, sources };
}

const shownPlace = (file: string, { cell, line }: SourcePlace): string =>
  cell === undefined ? `${file}:${line}` : `${file}:cell ${cell}:${line}`;
