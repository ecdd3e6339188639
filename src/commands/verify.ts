import { type CacheIndex, createCacheIndex, reasonAgainst } from '../cache/find.ts';
import { groupBy } from '../collections.ts';
import { cachedNames, type Snapshot } from '../copy/blob.ts';
import { createHashLimit } from '../copy/sources.ts';
import { type StoredFile, storedFiles } from '../copy/to-store.ts';
import { EXIT, HugError } from '../errors.ts';
import type { Output } from '../output/json-schema.ts';
import type { CommandResult } from '../output/result.ts';
import { table } from '../output/table.ts';
import { count } from '../output/text.ts';
import type { CommandContext } from '../project/context.ts';
import { type ChosenSnapshot, commandFor, readChosen } from '../project/chosen.ts';
import type { GroupOptions } from '../project/groups.ts';
import { escapeControls } from '../quote.ts';
import type { Nix } from '../store/nix.ts';
import { isOnDisk } from '../store/store-path.ts';

type Where = 'store' | 'cache';

/** A path in the store or in the cache that should have the content of a locked file. */
interface Copy {
  readonly where: Where;
  readonly path: string;
  readonly of: StoredFile;
}

/** A copy that was read. */
interface VerifiedCopy extends Copy {
  /** Why it does not have the content; `undefined` when it has. */
  readonly reason: string | undefined;
}

export interface VerifyOptions {
  /** Fail for missing files, too. */
  readonly strict?: boolean;
}

/** Stands for the store folder without Nix; no store path is looked for then. */
const USUAL_STORE = '/nix/store';

/**
 * `nix-hug verify [name…]`: hashes what the Nix store and the Hugging Face cache have of the lock,
 * and compares it with the digests there. Files that are missing are a fault with `--strict` only.
 */
export async function run(
  context: CommandContext,
  names: readonly string[],
  { strict = false, ...groups }: VerifyOptions & GroupOptions,
): Promise<CommandResult> {
  const { cacheFolder } = context;
  const { snapshots, note } = readChosen(context, names, groups, { allGroups: true });
  const nix = await nixIfAny(context);
  const files = storedFiles(snapshots, nix?.storeFolder ?? USUAL_STORE);
  const missing = await nix?.missing(new Set(files.map(({ storePath }) => storePath)));
  const index = createCacheIndex(cacheFolder);
  const stored = ({ storePath }: StoredFile) => {
    if (nix === undefined || missing?.has(storePath) !== false) return [];
    const file = nix.fileOf(storePath);
    // A valid path without a file is damage where the disk of the store is known.
    return nix.diskFolder !== undefined || isOnDisk(file) ? [file] : [];
  };
  const copies: Copy[] = [];
  // One after the other: of 100,000 files at once, the promises alone take a gigabyte.
  for (const of of files) copies.push(...(await copiesOf(of, stored(of), index)));
  const verified = await readAll(copies, context);
  const report = {
    snapshots,
    files: groupBy(files, ({ snapshot }) => snapshot),
    copies: groupBy(verified, ({ of }) => of),
    storeFolder: nix?.storeFolder,
    cacheFolder,
  };
  const isSound =
    verified.every(({ reason }) => reason === undefined) &&
    !(strict && snapshots.some((snapshot) => isIncomplete(snapshot, report)));
  return {
    text: (columns) => verifyText(report, columns),
    json: verifyJson(report),
    note,
    exitStatus: isSound ? EXIT.ok : EXIT.failed,
  };
}

/** Nix; without it, `undefined` and a warning. */
async function nixIfAny(context: CommandContext): Promise<Nix | undefined> {
  try {
    return await context.openNix();
  } catch (error) {
    if (!(error instanceof HugError) || error.code !== 'EHUG_NIX_MISSING') throw error;
    context.warn('Nix is not on PATH; only the Hugging Face cache is verified');
    return undefined;
  }
}

/** Copies in other repositories of the cache count where there is no other. */
async function copiesOf(
  of: StoredFile,
  stored: readonly string[],
  index: CacheIndex,
): Promise<Copy[]> {
  const names = cachedNames([of]);
  const cached = [...(await index.own(names))];
  if (cached.length + stored.length === 0) {
    for await (const { file } of index.all(names)) cached.push(file);
  }
  return [
    ...stored.map((path) => ({ where: 'store' as const, path, of })),
    ...cached.map((path) => ({ where: 'cache' as const, path, of })),
  ];
}

/** Reads each path once, however many locked files it should have the content of. */
async function readAll(
  copies: readonly Copy[],
  { runTransfers, signal }: CommandContext,
): Promise<VerifiedCopy[]> {
  const hashing = createHashLimit();
  // One path may stand for two contents, when a link of the cache leads astray.
  const groups = [...groupBy(copies, ({ path, of }) => `${of.file.digest.hex} ${path}`).values()];
  const results = await runTransfers(
    groups.map(([{ where, path, of }]) => ({
      entry: `${where} ${of.snapshot.title}`,
      title: escapeControls(of.file.path),
      size: of.file.size,
      run: (report) =>
        hashing(() => reasonAgainst(path, of.file, (bytes) => report('verifying', bytes), signal)),
    })),
  );
  return results.flatMap((result, index) => {
    if (result.status === 'rejected') throw result.reason;
    return (groups[index] ?? []).map((copy) => ({ ...copy, reason: result.value }));
  });
}

/** What `verify` prints, as text or as JSON. */
interface VerifyReport {
  readonly snapshots: readonly ChosenSnapshot[];
  readonly files: ReadonlyMap<Snapshot, readonly StoredFile[]>;
  readonly copies: ReadonlyMap<StoredFile, readonly VerifiedCopy[]>;
  /** `undefined` without Nix. */
  readonly storeFolder: string | undefined;
  readonly cacheFolder: string;
}

/** The text of `verify`: one line for each entry, then what differs and how to repair it. */
async function verifyText(report: VerifyReport, columns?: number): Promise<string> {
  const rows = report.snapshots.map((snapshot) => {
    const own = report.files.get(snapshot) ?? [];
    const copies = own.flatMap((file) => report.copies.get(file) ?? []);
    const isDamaged = copies.some(({ reason }) => reason !== undefined);
    const text = summary(own, report);
    const found = isDamaged ? { text, style: 'red' as const } : text;
    return [snapshot.title, count(own.length, 'file', 'files'), found];
  });
  const problems = problemsIn(report);
  const lines = problems.flatMap(({ snapshot, path, reason, of, repair }) => [
    `${snapshot.title} ${escapeControls(of.file.path)}: ${escapeControls(path)} ${reason}`,
    `  repair: ${repair}`,
  ]);
  const read = new Set([...report.copies.values()].flat().map(({ path }) => path));
  const end =
    problems.length === 0
      ? `nothing differs from the lock; ${count(read.size, 'file', 'files')} read`
      : `${count(problems.length, 'file differs', 'files differ')} from the lock`;
  const incomplete = report.snapshots.filter((snapshot) => isIncomplete(snapshot, report));
  const download = commandFor(report.storeFolder === undefined ? 'export' : 'fetch', incomplete);
  const missing =
    incomplete.length === 0
      ? []
      : [
          `not on this machine, or only in part: ${count(incomplete.length, 'entry', 'entries')}`,
          `  download: ${download}`,
        ];
  return [...(await table(rows, { right: [1], columns })), ...lines, ...missing, end].join('\n');
}

/** Whether a file of an entry is neither in the store nor in the cache. */
const isIncomplete = (snapshot: Snapshot, { files, copies }: VerifyReport): boolean =>
  files.get(snapshot)?.some((file) => !copies.has(file)) ?? false;

/** The same as JSON: for every file its state in each place, and what differs. */
function verifyJson(report: VerifyReport): Output<'verify'> {
  const { snapshots, files, storeFolder, cacheFolder } = report;
  return {
    store: storeFolder ?? null,
    cache: cacheFolder,
    entries: snapshots.map((snapshot) => ({
      name: snapshot.name,
      type: snapshot.type,
      repo: snapshot.repo,
      rev: snapshot.rev,
      incomplete: isIncomplete(snapshot, report),
      files: (files.get(snapshot) ?? []).map((stored) => ({
        path: stored.file.path,
        size: stored.file.size,
        store: storeFolder === undefined ? null : stateIn(report, stored, 'store'),
        cache: stateIn(report, stored, 'cache'),
      })),
    })),
    problems: problemsIn(report).map(({ snapshot, where, path, reason, of, repair }) => ({
      entry: snapshot.name,
      type: snapshot.type,
      file: of.file.path,
      where,
      path,
      reason,
      repair,
    })),
  };
}

/** Damaged when one of several copies is. */
function stateIn(
  { copies }: Pick<VerifyReport, 'copies'>,
  file: StoredFile,
  where: Where,
): 'sound' | 'damaged' | 'absent' {
  const own = (copies.get(file) ?? []).filter((copy) => copy.where === where);
  if (own.length === 0) return 'absent';
  return own.every(({ reason }) => reason === undefined) ? 'sound' : 'damaged';
}

/** `store: 2 sound, 1 damaged; cache: none` */
function summary(files: readonly StoredFile[], report: VerifyReport): string {
  const places: readonly Where[] =
    report.storeFolder === undefined ? ['cache'] : ['store', 'cache'];
  if (!files.some((file) => report.copies.has(file))) return `not in ${places.join(' or ')}`;
  return places
    .map((where) => {
      const states = files.map((file) => stateIn(report, file, where));
      const parts = (['sound', 'damaged'] as const).flatMap((state) => {
        const number = states.filter((each) => each === state).length;
        return number === 0 ? [] : [`${number} ${state}`];
      });
      return `${where}: ${parts.length === 0 ? 'none' : parts.join(', ')}`;
    })
    .join('; ');
}

/** A copy that differs, and the command that repairs it. */
interface Problem extends VerifiedCopy {
  readonly snapshot: ChosenSnapshot;
  readonly reason: string;
  readonly repair: string;
}

/** Each path that differs once, however many locked files it stands for. */
function problemsIn({ snapshots, files, copies }: VerifyReport): Problem[] {
  const problems = new Map<string, Problem>();
  for (const snapshot of snapshots) {
    const own = (files.get(snapshot) ?? []).flatMap((file) => copies.get(file) ?? []);
    for (const copy of own) {
      const { path, reason } = copy;
      if (reason === undefined || problems.has(path)) continue;
      problems.set(path, { ...copy, snapshot, reason, repair: repairOf(copy, snapshot) });
    }
  }
  return [...problems.values()];
}

/** A store path can be deleted only together with the models that were built of it. */
function repairOf({ where, of }: Copy, snapshot: ChosenSnapshot): string {
  return where === 'cache'
    ? commandFor('export', [snapshot])
    : `nix-store --delete $(nix-store --query --referrers-closure ${of.storePath}) && ${commandFor('fetch', [snapshot])}`;
}
