import prettyBytes from 'pretty-bytes';
import { groupBy } from '../collections.ts';
import { isNeededKey, type NamedEntry, placeOf } from '../lock/entries.ts';
import type { NeedIndex } from '../lock/needs.ts';
import type { LockedEntry } from '../lock/schema.ts';
import type { Output } from './json-schema.ts';
import { listingOf, sizeOf } from './listing.ts';
import { type Cell, table } from './table.ts';
import { count, shortRev } from './text.ts';
import { branch } from './tree.ts';

/** Entries of a lock, and what they need. */
interface ListedEntries {
  readonly asked: readonly NamedEntry[];
  readonly needed: readonly NamedEntry[];
  readonly index: NeedIndex;
}

/** One line for each entry, below it one for each repository that it needs, and one for the whole. */
export async function entriesText(listed: ListedEntries, columns?: number): Promise<string> {
  const { asked, needed } = listed;
  const all = [...asked, ...needed].map(listingOf);
  if (all.length === 0) return 'the lock has no entries';
  const rows = treeRows(listed);
  const lines = await table(rows, { right: [4, 5], shrink: [2], columns });
  const total = [
    count(asked.length, 'entry', 'entries'),
    ...(needed.length === 0 ? [] : [`${needed.length} needed`]),
    count(
      all.reduce((sum, { files }) => sum + files.length, 0),
      'file',
      'files',
    ),
    prettyBytes(all.reduce((sum, { files }) => sum + sizeOf(files), 0)),
  ];
  return [...lines, total.join(', ')].join('\n');
}

/** A repository that an entry needs, for a line below it. */
interface Node {
  readonly level: number;
  /** The id and ref as a file names them. */
  readonly repo: string;
  readonly ref: string;
  /** `undefined` when the lock does not have it. */
  readonly named: NamedEntry | undefined;
}

/**
 * The rows of the tree. What is needed more than once has its size, and below it what it needs, in the
 * first place only; so cycles end.
 */
function treeRows({ asked, needed, index }: ListedEntries): Cell[][] {
  const shown = new Set(asked.map(placeOf));
  const rows: Cell[][] = [];
  const addTree = (root: NamedEntry, title: string) => {
    shown.add(placeOf(root));
    rows.push(entryRow(title, root, 0));
    const nodes = nodesBelow(root.entry, 0, index);
    for (let node = nodes.pop(); node !== undefined; node = nodes.pop()) {
      const { level, named } = node;
      if (named === undefined || shown.has(placeOf(named))) rows.push(referenceRow(node));
      else {
        shown.add(placeOf(named));
        rows.push(entryRow(isNeededKey(named.name) ? '' : placeOf(named), named, level));
        nodes.push(...nodesBelow(named.entry, level, index));
      }
    }
  };
  for (const entry of asked) addTree(entry, placeOf(entry));
  for (const entry of needed) if (!shown.has(placeOf(entry))) addTree(entry, 'not needed');
  return rows;
}

/** What an entry needs, each repository and ref once, the last one first. */
function nodesBelow(entry: LockedEntry, above: number, index: NeedIndex): Node[] {
  const edges = groupBy(index.edges(entry), ({ need }) => `${need.repo}@${need.ref}`);
  return [...edges.values()]
    .flatMap(([{ need, found }]) =>
      (found.length === 0 ? [undefined] : found).map((named) => ({
        level: above + 1,
        repo: need.repo,
        ref: need.ref,
        named,
      })),
    )
    .toReversed();
}

function entryRow(title: string, named: NamedEntry, level: number): Cell[] {
  const { repo, ref, rev } = named.entry;
  const { files } = listingOf(named);
  return [
    title,
    branch(level) + repo,
    ref === rev ? '' : ref,
    { text: shortRev(rev), style: 'dim' },
    count(files.length, 'file', 'files'),
    prettyBytes(sizeOf(files)),
  ];
}

/** A row that says where the row of an entry is. */
function referenceRow({ level, repo, ref, named }: Node): Cell[] {
  const id = branch(level) + (named?.entry.repo ?? repo);
  const where = { text: whereOf(named), style: 'dim' as const };
  return ['', id, ref === named?.entry.rev ? '' : ref, where, '', ''];
}

function whereOf(named: NamedEntry | undefined): string {
  if (named === undefined) return 'not locked';
  return isNeededKey(named.name) ? 'shown above' : `see ${placeOf(named)}`;
}

/** The JSON of `ls` without a name. */
export function entriesJson({ asked, needed }: ListedEntries): Output<'ls-entries'> {
  return { entries: asked.map(entryJson), needed: needed.map(entryJson) };
}

function entryJson(named: NamedEntry): Output<'ls-entries'>['entries'][number] {
  const { repo, type, rev, files } = listingOf(named);
  const { name, entry } = named;
  return {
    name,
    type,
    repo,
    ref: entry.ref,
    rev,
    size: sizeOf(files),
    files: files.length,
    needs: (entry.needs ?? []).map((need) => ({ ...need })),
  };
}
