import { cachedFiles, reasonAgainst } from '../cache/find.ts';
import { cachedNames } from '../copy/cached-names.ts';
import { type PlacedFile, placeFiles } from '../copy/placement.ts';
import { createHashLimit } from '../copy/sources.ts';
import { EXIT, HugError } from '../errors.ts';
import { type NamedEntry, placeOf } from '../lock/entries.ts';
import type { Output } from '../output/json-schema.ts';
import type { CommandResult } from '../output/result.ts';
import { table } from '../output/table.ts';
import { count } from '../output/text.ts';
import type { CommandContext } from '../project/context.ts';
import { entriesNamed } from '../project/entries.ts';
import { type ProjectContext, readLock } from '../project/project.ts';
import { type Store, openStore } from '../project/store.ts';
import { escapeControls } from '../quote.ts';

/** What `verify` needs from outside. */
export type VerifyContext = ProjectContext &
  Pick<CommandContext, 'openNix' | 'cacheFolder' | 'runTransfers' | 'warn' | 'signal'>;

/** Where a locked file is, or should be: a path in the store or in the cache. */
interface Copy {
  readonly where: 'store' | 'cache';
  readonly path: string;
  readonly of: PlacedFile;
}

/** Stands for the store folder when there is no Nix to ask; nothing is looked for there then. */
const USUAL_STORE = '/nix/store';

/**
 * `nix-hug verify [name…]`: reads what the Nix store and the Hugging Face cache have of the lock,
 * and compares it with the digests there. What a place does not have is no fault of it.
 */
export async function run(
  names: readonly string[],
  context: VerifyContext,
): Promise<CommandResult> {
  const { cacheFolder } = context;
  const entries = entriesNamed(await readLock(context), names);
  const store = await storeIfAny(context);
  const files = placeFiles(entries, store?.storeFolder ?? USUAL_STORE);
  const onRecord = store === undefined ? new Set<string>() : await recorded(files, store);
  const copies = await Promise.all(files.map((file) => copiesOf(file, onRecord, cacheFolder)));
  const reasons = await readEach(copies.flat(), context);
  const verified = files.map((file, index): VerifiedFile => {
    const own = copies[index] ?? [];
    return { file, copies: own.map((copy) => ({ ...copy, reason: reasons.get(keyOf(copy)) })) };
  });
  const report = { entries, files: verified, storeFolder: store?.storeFolder, cacheFolder };
  const isSound = [...reasons.values()].every((reason) => reason === undefined);
  return {
    text: (columns) => verifyText(report, columns),
    json: verifyJson(report),
    exitStatus: isSound ? EXIT.ok : EXIT.failed,
  };
}

/** The store, or `undefined` where there is no Nix. */
async function storeIfAny(context: VerifyContext): Promise<Store | undefined> {
  try {
    return await openStore(context);
  } catch (error) {
    if (!(error instanceof HugError) || error.code !== 'EHUG_NIX_MISSING') throw error;
    context.warn('Nix is not on PATH; only the Hugging Face cache is verified');
    return undefined;
  }
}

/** The store paths that Nix has on record, whether they are there or not. */
async function recorded(files: readonly PlacedFile[], { nix }: Store): Promise<Set<string>> {
  const storePaths = new Set(files.map(({ storePath }) => storePath));
  const missing = await nix.missing([...storePaths]);
  return new Set([...storePaths].filter((storePath) => !missing.has(storePath)));
}

async function copiesOf(
  of: PlacedFile,
  onRecord: ReadonlySet<string>,
  cache: string,
): Promise<Copy[]> {
  const cached = [...(await cachedFiles(cache, cachedNames(of)))];
  const stored = onRecord.has(of.storePath) ? [of.storePath] : [];
  return [
    ...stored.map((path) => ({ where: 'store' as const, path, of })),
    ...cached.map((path) => ({ where: 'cache' as const, path, of })),
  ];
}

/** Reads each file once, and tells by key what is wrong with it; `undefined` for nothing. */
async function readEach(
  copies: readonly Copy[],
  { runTransfers, signal }: Pick<VerifyContext, 'runTransfers' | 'signal'>,
): Promise<ReadonlyMap<string, string | undefined>> {
  const reading = createHashLimit();
  const firsts = new Map<string, Copy>();
  for (const copy of copies) {
    if (!firsts.has(keyOf(copy))) firsts.set(keyOf(copy), copy);
  }
  const once = [...firsts];
  const results = await runTransfers(
    once.map(([, { where, path, of }]) => ({
      entry: `${where} ${placeOf(of)}`,
      title: escapeControls(of.path),
      size: of.file.size,
      run: (report) =>
        reading(() => reasonAgainst(path, of.file, (bytes) => report('verifying', bytes), signal)),
    })),
  );
  return new Map(
    results.map((result, index) => {
      if (result.status === 'rejected') throw result.reason;
      return [once[index]?.[0] ?? '', result.value];
    }),
  );
}

/** The same file may stand for two contents, when a link of the cache leads astray. */
const keyOf = ({ path, of }: Copy): string => `${of.file.hash} ${path}`;

/** What `verify` has to tell. */
interface VerifyReport {
  readonly entries: readonly NamedEntry[];
  readonly files: readonly VerifiedFile[];
  /** `undefined` where there is no Nix. */
  readonly storeFolder: string | undefined;
  readonly cacheFolder: string;
}

/** A locked file, and all that was read of it. */
interface VerifiedFile {
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
async function verifyText(report: VerifyReport, columns?: number): Promise<string> {
  const { entries, files } = report;
  const rows = entries.map((entry) => {
    const own = filesOf(entry, files);
    const isDamaged = problemsIn(own).length > 0;
    const text = summary(own, report);
    const found = isDamaged ? { text, style: 'red' as const } : text;
    return [placeOf(entry), count(own.length, 'file', 'files'), found];
  });
  const problems = problemsIn(files);
  const lines = problems.flatMap(({ file, path, reason, repair }) => [
    `${placeOf(file)} ${escapeControls(file.path)}: ${escapeControls(path)} ${reason}`,
    `  repair: ${repair}`,
  ]);
  const read = new Set(files.flatMap(({ copies }) => copies.map(({ path }) => path)));
  const end =
    problems.length === 0
      ? `nothing differs from the lock; ${count(read.size, 'file', 'files')} read`
      : `${count(problems.length, 'file differs', 'files differ')} from the lock`;
  return [...(await table(rows, { right: [1], columns })), ...lines, end].join('\n');
}

/** The same as JSON: for every file its state in each place, and what differs. */
function verifyJson(report: VerifyReport): Output<'verify'> {
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
