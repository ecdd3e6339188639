import path from 'node:path';
import { groupBy } from '../collections.ts';
import { EXIT, usageError } from '../errors.ts';
import { placeOf } from '../lock/entries.ts';
import { addEntries } from '../manifest/edit.ts';
import { isThere } from '../manifest/locate.ts';
import { parseManifest } from '../manifest/parse.ts';
import type { Output } from '../output/json-schema.ts';
import type { CommandResult } from '../output/result.ts';
import { table } from '../output/table.ts';
import { count } from '../output/text.ts';
import { entriesOfCode, type PresentEntry } from '../project/code-entries.ts';
import type { CommandContext } from '../project/context.ts';
import { beginProject, readProject, writeProject } from '../project/project.ts';
import { type Program, readProgram } from '../python/program.ts';
import { forTerminal, quote } from '../quote.ts';
import { DEFAULT_REF } from '../repo.ts';
import { type InitOptions, manifestPlace, run as init } from './init.ts';

/** Calls that are listed; `--json` has all of them. */
const MAX_LISTED = 100;

/**
 * `nix-hug init --from-code <path…>`: adds an entry for each repository that Python sources load, to the
 * manifest that `init` keeps or makes. It uses no network and writes no lock.
 */
export async function run(
  context: CommandContext,
  paths: readonly string[],
  { flake }: InitOptions,
): Promise<CommandResult> {
  const { cwd, endpoint, signal, warn } = context;
  const manifestPath = manifestPlace(context);
  const project = isThere(manifestPath)
    ? readProject({ ...context, manifest: manifestPath })
    : beginProject(manifestPath, context);
  const { manifestName, manifestText, isNew } = project;
  const program = await readProgram(
    paths.map((one) => path.resolve(cwd, one)),
    { folder: path.dirname(manifestPath), isThere, warn, signal },
  );
  if (program.sources === 0) {
    const named = paths.map(quote).join(' and ');
    throw usageError(`${named}: no Python file and no notebook`, 'Name the folder of the sources.');
  }
  const { added, present } = entriesOfCode(program.repos, project.manifest.entries);
  const text = addEntries(manifestText, manifestName, added);
  parseManifest(text, manifestName, { endpoint });
  await writeProject(project, text, undefined);
  warnOfOtherRevisions(present, warn);
  const isChanged = isNew || added.length > 0;
  const other = flake === true ? await withFlake(context) : { written: [], kept: [] };
  const json: Output<'init-from-code'> = {
    written: [...(isChanged ? [manifestName] : []), ...other.written],
    kept: [...(isChanged ? [] : [manifestName]), ...other.kept],
    sources: program.sources,
    added: added.map(({ name, type, id, ref, places }) => ({ name, type, repo: id, places, ref })),
    present: [...groupBy(present, ({ entry }) => entry)].map(([entry, loads]) => ({
      name: entry.name,
      type: entry.type,
      repo: entry.repo,
      places: loads.flatMap(({ places }) => places),
    })),
    unknown: [...program.unknown],
  };
  const nextOfNew = isNew ? 'nix-hug add org/name' : undefined;
  return {
    json,
    text: async (columns) => (await linesOf(json, columns)).join('\n'),
    note: noteOf(program),
    next: added.length > 0 ? 'nix-hug lock' : nextOfNew,
    exitStatus: EXIT.ok,
  };
}

/** Writes a flake beside the manifest, which is there by now. */
async function withFlake(context: CommandContext): Promise<Output<'init'>> {
  const { json } = await init(context, { flake: true });
  return { ...json, kept: json.kept.filter((file) => path.basename(file) === 'flake.nix') };
}

/** Warns where calls load another revision than an entry has: an entry that is there stays as it is. */
function warnOfOtherRevisions(
  present: readonly PresentEntry[],
  warn: (line: string) => void,
): void {
  for (const { entry, type, id, ref, places } of present) {
    if ('version' in entry.want || entry.want.ref === ref) continue;
    const form = type === 'dataset' ? `hf-datasets:${id}` : id.includes('/') ? id : `hf:${id}`;
    const command = `nix-hug add ${form} --ref ${ref} --name ${entry.name}-2`;
    const has = `${placeOf(entry)} has ${entry.want.ref} of ${entry.repo}`;
    warn(`${has}, and ${places.join(', ')} loads ${ref}; for both: ${command}`);
  }
}

async function linesOf(
  { written, kept, added, present, sources }: Output<'init-from-code'>,
  columns: number | undefined,
): Promise<readonly string[]> {
  const files = [
    ...(written.length === 0 ? [] : [`${written.join(' and ')} written`]),
    ...(kept.length === 0 ? [] : [`${kept.join(' and ')} kept as it was`]),
  ].join('; ');
  const found = added.length === 0 ? 'no new entry' : count(added.length, 'entry', 'entries');
  const rows = [
    ...added.map(({ ref, ...entry }) => ({
      ...entry,
      at: ref === DEFAULT_REF ? '' : `@${ref}`,
      sign: '+',
    })),
    ...present.map((entry) => ({ ...entry, at: '', sign: '=' })),
  ].map(({ sign, name, type, repo, at, places }) => [
    sign,
    placeOf({ type, name }),
    `${repo}${at}`,
    places.join(', '),
  ]);
  return [
    `${files}: ${found} from ${count(sources, 'file', 'files')}`,
    ...(await table(rows, { shrink: [3], columns })),
  ];
}

/** What the sources do not tell, for the user to add by hand. */
function noteOf({ unknown }: Program): string | undefined {
  if (unknown.length === 0) return undefined;
  const lines = unknown
    .slice(0, MAX_LISTED)
    .map(
      ({ place, call, reason }) =>
        `  ${place}: ${forTerminal(call)}${reason === null ? '' : ` (${reason})`}`,
    );
  const more = unknown.length - lines.length;
  return [
    `${count(unknown.length, 'call loads', 'calls load')} what the sources do not tell; add it by hand where it is a repository:`,
    ...lines,
    ...(more > 0 ? [`  and ${more} more; --json has all of them`] : []),
  ].join('\n');
}
