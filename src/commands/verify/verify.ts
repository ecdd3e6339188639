import { cachedFiles, reasonAgainst } from '../../cache/find.ts';
import { EXIT, HugError } from '../../errors.ts';
import { placeOf } from '../../lock/entries.ts';
import { visible } from '../../quote.ts';
import { type PlacedFile, placeFiles } from '../../store/plan.ts';
import { cachedNames } from '../bring/cached-names.ts';
import { createReading } from '../bring/reading.ts';
import type { CommandContext } from '../context.ts';
import { entriesNamed } from '../entries.ts';
import { type ProjectContext, readLock } from '../project.ts';
import type { CommandResult } from '../result.ts';
import { openStore, type Store } from '../store.ts';
import { type VerifiedFile, verifyJson, verifyText } from './report.ts';

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
  const reading = createReading();
  const firsts = new Map<string, Copy>();
  for (const copy of copies) {
    if (!firsts.has(keyOf(copy))) firsts.set(keyOf(copy), copy);
  }
  const once = [...firsts];
  const results = await runTransfers(
    once.map(([, { where, path, of }]) => ({
      title: visible(`${where} ${placeOf(of)} ${of.path}`),
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
