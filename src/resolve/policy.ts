import path from 'node:path/posix';
import { groupBy } from '../collections.ts';
import { HugError } from '../errors.ts';
import {
  allEntries,
  isNeededKey,
  type NamedEntry,
  namedEntries,
  placeOf,
} from '../lock/entries.ts';
import { createNeedIndex, type NeedIndex } from '../lock/needs.ts';
import type { Lock, LockedEntry } from '../lock/schema.ts';
import { ageMs, type Policy, type Rule } from '../manifest/policy-schema.ts';
import type { Manifest } from '../manifest/schema.ts';
import { notAfter, oldEnoughAt } from './age.ts';
import type { Edge } from './edges.ts';

/** What breaks a rule of a policy. */
export interface Violation {
  /** `models.legacy`, or `needed.models/org/base@main`. */
  readonly place: string;
  /** The place of an entry of the manifest that it is there for; `undefined` when none needs it. */
  readonly root: string | undefined;
  readonly rule: Rule;
  /** The files, or the file that names a repository of code; none for a licence or an owner. */
  readonly paths: readonly string[];
  /** What the rule does not allow, as a phrase about the entry. */
  readonly reason: string;
}

/** Extensions of files that can run code when they are loaded, or hold files that can. */
const UNSAFE: ReadonlySet<string> = new Set(
  'bin pt pth ckpt pkl pickle joblib dill dat data npy npz zip 7z tar gz tgz mar nemo h5 hdf5 keras pb ot model_state'.split(
    ' ',
  ),
);

/** Extensions of files that are data to every loader. */
const SAFE: ReadonlySet<string> = new Set(
  'safetensors gguf json jsonl txt md model spm tiktoken jinja csv tsv parquet arrow onnx onnx_data msgpack tflite png jpg jpeg webp gif svg wav mp3 flac ogg mp4 pdf yaml yml xml gitattributes'.split(
    ' ',
  ),
);

const CODE: ReadonlySet<string> = new Set('py pyc so dll dylib whl sh'.split(' '));

/** Files by which a loader finds code in another repository. */
const NAMES_CODE: ReadonlySet<string> = new Set([
  'config.json',
  'tokenizer_config.json',
  'processor_config.json',
  'preprocessor_config.json',
  'video_preprocessor_config.json',
  'modules.json',
  'router_config.json',
]);

/** What a policy says of a licence that no README declares. */
const UNDECLARED = 'undeclared';

/** The part behind the last dot of the base name, in lower case; that of `.gitattributes` is its name. */
const extensionOf = (file: string): string => {
  const name = path.basename(file).toLowerCase();
  return name.includes('.') ? name.slice(name.lastIndexOf('.') + 1) : '';
};

/** Whether a file is code, whatever its content. */
export const isCode = (file: string): boolean => CODE.has(extensionOf(file));

/** Whether a file may run code when it is loaded: by its format, since content can deceive a scanner. */
function isUnsafe(file: string, isLfs: boolean): boolean {
  if (file.toLowerCase().endsWith('.onnx.data')) return false;
  const extension = extensionOf(file);
  return UNSAFE.has(extension) || (isLfs && !SAFE.has(extension) && !CODE.has(extension));
}

/**
 * What breaks a policy in a lock.
 *
 * @param allowed the rules that an entry of the manifest may break, by its place; what is needed may
 *   break a rule that all entries that need it may break
 * @param now the present, in ms since 1970
 * @returns in the order of the entries, then of the rules
 */
export function violationsOf(
  policy: Policy,
  lock: Lock,
  allowed: (place: string) => ReadonlySet<Rule>,
  now: number,
): readonly Violation[] {
  const index = createNeedIndex(lock);
  const needing = needingEntries(lock, index);
  return allEntries(lock).flatMap((named) => {
    const place = placeOf(named);
    const roots = isNeededKey(named.name) ? (needing.get(place) ?? []) : [{ root: place }];
    const mayBreak = (rule: Rule) =>
      roots.length > 0 && roots.every(({ root }) => allowed(root).has(rule));
    return brokenBy(named, policy, index, now)
      .filter(({ rule }) => !mayBreak(rule))
      .map((broken) => ({ ...broken, place, root: roots[0]?.root }));
  });
}

/** The entries of the manifest that need something, by the place of what they need. */
function needingEntries(lock: Lock, index: NeedIndex) {
  const pairs = namedEntries(lock).flatMap((root) =>
    index.withNeeded([root]).map((named) => ({ place: placeOf(named), root: placeOf(root) })),
  );
  return groupBy(pairs, ({ place }) => place);
}

function brokenBy(
  { entry }: NamedEntry,
  policy: Policy,
  index: NeedIndex,
  now: number,
): readonly Omit<Violation, 'place' | 'root'>[] {
  const owner = entry.repo.split('/')[0] ?? entry.repo;
  const unsafe = policy.formats === 'safe' ? unsafeFiles(entry) : [];
  const denied = policy.remoteCode === 'deny' || policy.remoteCode === 'omit';
  const codeFiles = denied ? [...entry.files.keys()].filter(isCode) : [];
  const codeNeeds = denied ? codeNeedsOf(entry, index) : [];
  const licences = policy.licenses === undefined ? [] : badLicenses(entry, policy.licenses);
  const owners = policy.owners ?? [owner];
  const young = youngerThan(entry, policy.minimumAge, now);
  return [
    ...(unsafe.length === 0
      ? []
      : [{ rule: 'formats' as const, paths: unsafe, reason: 'can run code when loaded' }]),
    ...(codeFiles.length === 0
      ? []
      : [{ rule: 'remoteCode' as const, paths: codeFiles, reason: 'is code' }]),
    ...codeNeeds.map(({ by, repo }) => ({
      rule: 'remoteCode' as const,
      paths: [by],
      reason: `names code of ${repo}`,
    })),
    ...licences.map((license) => ({
      rule: 'licenses' as const,
      paths: [],
      reason: license === UNDECLARED ? 'declares no licence' : `has the licence ${license}`,
    })),
    ...(owners.includes(owner)
      ? []
      : [{ rule: 'owners' as const, paths: [], reason: `belongs to ${owner}` }]),
    ...(young === undefined ? [] : [{ rule: 'minimumAge' as const, paths: [], reason: young }]),
  ];
}

/** Why an entry is too young, as a phrase; `undefined` for one that is old enough, or has no date. */
function youngerThan(
  { date }: LockedEntry,
  age: string | undefined,
  now: number,
): string | undefined {
  if (age === undefined || date === undefined) return undefined;
  const minAge = ageMs(age);
  if (Date.parse(date) <= notAfter(minAge, now)) return undefined;
  return `has a commit of ${date}, which is old enough at ${oldEnoughAt(date, minAge)}`;
}

const unsafeFiles = ({ files }: LockedEntry): string[] =>
  [...files].filter(([file, { lfs }]) => isUnsafe(file, lfs === true)).map(([file]) => file);

/** Whether a file names a repository whose code is run. */
export const isForCode = ({ by, take }: Edge): boolean =>
  take.kind === 'code' && NAMES_CODE.has(path.basename(by));

/** Needs for code: the repository has code, or is not locked. */
function codeNeedsOf(entry: LockedEntry, index: NeedIndex) {
  return index
    .edges(entry)
    .filter(
      ({ need, found }) =>
        NAMES_CODE.has(path.basename(need.by)) &&
        (found.length === 0 || found.some((other) => [...other.entry.files.keys()].some(isCode))),
    )
    .map(({ need }) => need);
}

function badLicenses(
  { license = [UNDECLARED] }: LockedEntry,
  allowed: readonly string[],
): string[] {
  const lower = new Set(allowed.map((id) => id.toLowerCase()));
  return license.filter((id) => !lower.has(id.toLowerCase()));
}

/**
 * Refuses a lock that breaks the policy of its manifest.
 *
 * @param file name of the manifest, for messages
 * @param now the present, in ms since 1970
 * @throws HugError `EHUG_POLICY` with a detail for each violation
 */
export function requirePolicy(manifest: Manifest, lock: Lock, file: string, now: number): void {
  const lines = policyLines(manifest, lock, file, now);
  const [first, ...others] = lines;
  if (first === undefined) return;
  throw new HugError('EHUG_POLICY', first, {
    details: others,
    hint: 'Nothing was locked. Take another repository, change the policy, or name the rule in "allow" of the entry.',
  });
}

/** A line for each violation of the policy of a manifest, with the line of the manifest to change. */
export function policyLines(
  manifest: Manifest,
  lock: Lock,
  file: string,
  now: number,
): readonly string[] {
  const lines = new Map(manifest.entries.map((entry) => [placeOf(entry), entry.position.line]));
  return manifestViolations(manifest, lock, now).map((violation) => {
    const line = lines.get(violation.root ?? '');
    const at = line === undefined ? file : `${file}:${line}`;
    return `${at}: ${violation.place} ${violationText(violation)}`;
  });
}

/** What breaks the policy of a manifest in a lock; its entries may break what their `allow` names. */
export function manifestViolations(
  { policy, entries }: Manifest,
  lock: Lock,
  now: number,
): readonly Violation[] {
  if (policy === undefined) return [];
  const byPlace = new Map(entries.map((entry) => [placeOf(entry), entry]));
  return violationsOf(policy, lock, (place) => new Set<Rule>(byPlace.get(place)?.allow), now);
}

/** A violation as a phrase about its entry: `breaks the rule owners: it belongs to acme`. */
export const violationText = ({ rule, paths, reason }: Violation): string =>
  `breaks the rule ${rule}: ${subjectOf(paths)}${reason}`;

/** Paths in one line. */
const MAX_PATHS = 3;

function subjectOf(paths: readonly string[]): string {
  if (paths.length === 0) return 'it ';
  const named = paths
    .slice(0, MAX_PATHS)
    .map((file) => JSON.stringify(file))
    .join(', ');
  return paths.length > MAX_PATHS ? `${named} and ${paths.length - MAX_PATHS} more: ` : `${named} `;
}
