import { EXIT, HugError } from '../errors.ts';
import type { Pin } from '../lock/diff.ts';
import { entriesOf, placeOf } from '../lock/entries.ts';
import type { LockedEntry } from '../lock/schema.ts';
import type { ManifestEntry } from '../manifest/schema.ts';
import type { Output } from '../output/json-schema.ts';
import { type CommandResult, errorJson } from '../output/result.ts';
import { table } from '../output/table.ts';
import { shortRev } from '../output/text.ts';
import { manifestEntriesNamed } from '../project/entries.ts';
import { type ProjectContext, readLockedProject } from '../project/project.ts';
import type { RelockContext } from '../project/relock.ts';
import { assertOnline } from '../project/repository.ts';
import type { OutdatedCheck } from '../resolve/outdated.ts';

export interface OutdatedOptions {
  /** Tell by the exit status whether something is outdated. */
  readonly exitCode?: boolean;
}

/** What `outdated` needs from outside. */
export type OutdatedContext = ProjectContext & RelockContext;

/** An entry, what it is locked to, and what the Hub says of it. */
interface Finding {
  readonly entry: ManifestEntry;
  readonly locked: LockedEntry | undefined;
  readonly found: OutdatedCheck | HugError;
}

/**
 * `nix-hug outdated [name…]`: what `update` would move, and what is newer than the manifest allows.
 * An entry that fails hides no other.
 */
export async function run(
  names: readonly string[],
  options: OutdatedOptions,
  context: OutdatedContext,
): Promise<CommandResult> {
  const { manifest, lock } = await readLockedProject(context);
  const asked = manifestEntriesNamed(manifest, names).map((entry) => ({
    entry,
    locked: entriesOf(lock, entry.type).get(entry.name),
  }));
  const findings = asked.length === 0 ? [] : await lookAt(asked, manifest.endpoint, context);
  const rows = findings.map(rowOf);
  const errors = findings.flatMap(({ entry, found }) =>
    found instanceof HugError ? [found.within(placeOf(entry))] : [],
  );
  for (const { entry, found } of findings) {
    if (found instanceof HugError) continue;
    for (const warning of found.warnings) context.warn(`${placeOf(entry)}: ${warning}`);
  }
  const isOutdated = rows.some(({ outdated }) => outdated === true);
  return {
    json: { entries: rows } satisfies Output<'outdated'>,
    text: (columns) => outdatedText({ entries: rows }, columns),
    errors,
    exitStatus:
      errors.length > 0
        ? EXIT.failed
        : isOutdated && options.exitCode === true
          ? EXIT.outOfDate
          : EXIT.ok,
  };
}

async function lookAt(
  asked: readonly Omit<Finding, 'found'>[],
  endpoint: string | undefined,
  context: OutdatedContext,
): Promise<Finding[]> {
  assertOnline(context, 'only the Hub knows what is new');
  const { checkOutdated } = await import('../resolve/outdated.ts');
  const hub = await context.connect(endpoint);
  try {
    const results = await context.runTasks(
      asked.map(({ entry, locked }) => ({
        title: placeOf(entry),
        run: async (report) => {
          report('looking up');
          const looked = await checkOutdated(entry, locked, hub);
          report(looked.outlook.outdated ? 'outdated' : 'up to date');
          return looked;
        },
      })),
    );
    return asked.flatMap((one, index) => {
      const result = results[index];
      return result === undefined ? [] : [{ ...one, found: valueOf(result) }];
    });
  } finally {
    await hub.close();
  }
}

/** What was found, or why nothing was; a defect is thrown. */
function valueOf(result: PromiseSettledResult<OutdatedCheck>): OutdatedCheck | HugError {
  if (result.status === 'fulfilled') return result.value;
  if (result.reason instanceof HugError) return result.reason;
  throw result.reason;
}

function rowOf({ entry, locked, found }: Finding): Output<'outdated'>['entries'][number] {
  const { name, type } = entry;
  const row = { name, type, locked: locked === undefined ? null : pinOf(locked) };
  return found instanceof HugError
    ? { ...row, wanted: null, latest: null, outdated: null, ...errorJson(found) }
    : { ...row, ...found.outlook };
}

const pinOf = ({ ref, rev }: LockedEntry): Pin => ({ ref, rev });

const HEAD = ['entry', 'locked', 'wanted', 'latest'].map((text) => ({
  text,
  style: 'dim' as const,
}));

/** A row for each entry that is outdated, or that something newer exists of. */
async function outdatedText({ entries }: Output<'outdated'>, columns?: number): Promise<string> {
  const rows = entries.flatMap((entry) => {
    const { locked, wanted, latest, outdated } = entry;
    if (wanted === null || latest === null) return [];
    if (outdated === false && latest.rev === wanted.rev) return [];
    return [
      [
        placeOf(entry),
        locked === null ? 'not locked' : pinText(locked),
        outdated === true ? { text: pinText(wanted), style: 'yellow' as const } : pinText(wanted),
        pinText(latest),
      ],
    ];
  });
  if (rows.length > 0) return (await table([HEAD, ...rows], { columns })).join('\n');
  return entries.some(({ error }) => error !== undefined) ? '' : 'everything is up to date';
}

/** A commit as people tell it apart: `v1.2.0 c170c708c41d`. */
function pinText({ ref, rev }: Pin): string {
  const commit = shortRev(rev);
  return ref === rev ? commit : `${ref} ${commit}`;
}
