import { type NamedEntry, placeOf } from '../../lock/entries.ts';
import { visible } from '../../quote.ts';
import type { PlacedFile } from '../../store/plan.ts';
import { count } from '../count.ts';
import type { Output } from '../output-schema.ts';
import { table } from '../table.ts';

/** What `verify` has to tell. */
export interface VerifyReport {
  readonly entries: readonly NamedEntry[];
  readonly files: readonly VerifiedFile[];
  /** `undefined` where there is no Nix. */
  readonly storeFolder: string | undefined;
  readonly cacheFolder: string;
}

/** A locked file, and all that was read of it. */
export interface VerifiedFile {
  readonly file: PlacedFile;
  readonly copies: readonly VerifiedCopy[];
}

interface VerifiedCopy {
  readonly where: 'store' | 'cache';
  readonly path: string;
  /** Why it is not the content; `undefined` when it is. */
  readonly reason: string | undefined;
}

type Where = VerifiedCopy['where'];

/** A copy that differs, and the command that repairs it. */
interface Problem extends VerifiedCopy {
  readonly reason: string;
  readonly file: PlacedFile;
  readonly repair: string;
}

/** The text of `verify`: one line for each entry, then what differs and how to repair it. */
export async function verifyText(report: VerifyReport, columns?: number): Promise<string> {
  const { entries, files } = report;
  const rows = entries.map((entry) => {
    const own = filesOf(entry, files);
    return [placeOf(entry), count(own.length, 'file', 'files'), summary(own, report)];
  });
  const problems = problemsIn(files);
  const lines = problems.flatMap(({ file, path, reason, repair }) => [
    `${placeOf(file)} ${visible(file.path)}: ${visible(path)} ${reason}`,
    `  repair: ${repair}`,
  ]);
  const read = new Set(files.flatMap(({ copies }) => copies.map(({ path }) => path)));
  const end =
    problems.length === 0
      ? `nothing differs from the lock; ${count(read.size, 'file', 'files')} read`
      : `${count(problems.length, 'file differs', 'files differ')} from the lock`;
  return [...(await table(rows, [1], columns)), ...lines, end].join('\n');
}

/** The same as JSON: for every file its state in each place, and what differs. */
export function verifyJson(report: VerifyReport): Output<'verify'> {
  const { entries, files, storeFolder, cacheFolder } = report;
  return {
    store: storeFolder ?? null,
    cache: cacheFolder,
    entries: entries.map((entry) => ({
      name: entry.name,
      type: entry.type,
      repo: entry.entry.repo,
      rev: entry.entry.rev,
      files: filesOf(entry, files).map((verified) => ({
        path: verified.file.path,
        size: verified.file.file.size,
        store: storeFolder === undefined ? null : stateIn(verified, 'store'),
        cache: stateIn(verified, 'cache'),
      })),
    })),
    problems: problemsIn(files).map(({ file, where, path, reason, repair }) => ({
      entry: file.name,
      type: file.type,
      file: file.path,
      where,
      path,
      reason,
      repair,
    })),
  };
}

/** Damaged when one of several copies is. */
function stateIn({ copies }: VerifiedFile, where: Where): 'sound' | 'damaged' | 'absent' {
  const own = copies.filter((copy) => copy.where === where);
  if (own.length === 0) return 'absent';
  return own.every(({ reason }) => reason === undefined) ? 'sound' : 'damaged';
}

/** `store: 2 sound, 1 damaged; cache: none` */
function summary(files: readonly VerifiedFile[], { storeFolder }: VerifyReport): string {
  const places: readonly Where[] = storeFolder === undefined ? ['cache'] : ['store', 'cache'];
  if (files.every(({ copies }) => copies.length === 0)) return `not in ${places.join(' or ')}`;
  return places
    .map((where) => {
      const states = files.map((file) => stateIn(file, where));
      const parts = (['sound', 'damaged'] as const).flatMap((state) => {
        const number = states.filter((each) => each === state).length;
        return number === 0 ? [] : [`${number} ${state}`];
      });
      return `${where}: ${parts.length === 0 ? 'none' : parts.join(', ')}`;
    })
    .join('; ');
}

/** Each file that differs once, however many locked files it stands for. */
function problemsIn(files: readonly VerifiedFile[]): Problem[] {
  const problems = new Map<string, Problem>();
  for (const { file, copies } of files) {
    for (const copy of copies) {
      const { reason } = copy;
      if (reason === undefined || problems.has(copy.path)) continue;
      problems.set(copy.path, { ...copy, reason, file, repair: repairOf(copy, placeOf(file)) });
    }
  }
  return [...problems.values()];
}

/** A path of the store can go only with all that refers to it: the models that were built of it. */
function repairOf({ where, path }: VerifiedCopy, place: string): string {
  return where === 'cache'
    ? `nix-hug export ${place}`
    : `nix-store --delete $(nix-store --query --referrers-closure ${path}) && nix-hug fetch ${place}`;
}

const filesOf = ({ entry }: NamedEntry, files: readonly VerifiedFile[]): VerifiedFile[] =>
  files.filter(({ file }) => file.entry === entry);
