import { EXIT, HugError } from '../errors.ts';
import type { HubApi } from '../hub/api.ts';
import type { Pin } from '../lock/diff.ts';
import { lockedIn, placeOf } from '../lock/entries.ts';
import type { Lock, LockedEntry } from '../lock/schema.ts';
import type { Manifest, ManifestEntry } from '../manifest/schema.ts';
import type { Output } from '../output/json-schema.ts';
import { type CommandResult, errorJson } from '../output/result.ts';
import { table } from '../output/table.ts';
import { shortRev } from '../output/text.ts';
import type { CommandContext } from '../project/context.ts';
import { manifestEntriesNamed } from '../project/entries.ts';
import { readProject, requireLock } from '../project/project.ts';
import { knownRepos } from '../project/resolving.ts';
import { withHub } from '../project/repository.ts';
import type { OutdatedCheck } from '../resolve/outdated.ts';

interface OutdatedOptions {
  /** Exit with 3 when an entry is outdated. */
  readonly exitCode?: boolean;
}

/** An entry, its lock, and the result of its check. */
interface Checked {
  readonly entry: ManifestEntry;
  readonly locked: LockedEntry | undefined;
  readonly check: OutdatedCheck | HugError;
}

/**
 * `nix-hug outdated [name…]`: lists what `update` would move, and what is newer than the manifest
 * allows. The failure of one entry does not hide the others.
 */
export async function run(
  context: CommandContext,
  names: readonly string[],
  options: OutdatedOptions,
): Promise<CommandResult> {
  const project = readProject(context);
  const { manifest } = project;
  const lock = requireLock(project);
  const entries = manifestEntriesNamed(manifest, names).map((entry) => ({
    entry,
    locked: lockedIn(lock, entry),
  }));
  const checks = entries.length === 0 ? [] : await checkAll(entries, manifest, lock, context);
  const rows = checks.map(rowOf);
  const errors: HugError[] = [];
  for (const { entry, check } of checks) {
    if (check instanceof HugError) errors.push(check.within(placeOf(entry)));
    else for (const warning of check.warnings) context.warn(`${placeOf(entry)}: ${warning}`);
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

async function checkAll(
  entries: readonly Omit<Checked, 'check'>[],
  manifest: Manifest,
  lock: Lock,
  context: CommandContext,
): Promise<Checked[]> {
  const { checkOutdated } = await import('../resolve/outdated.ts');
  const repos = await knownRepos(manifest, lock);
  const runAll = (hub: HubApi) =>
    context.runTasks(
      entries.map(({ entry, locked }) => ({
        title: placeOf(entry),
        run: async (report) => {
          report('looking up');
          const check = await checkOutdated(entry, locked, { hub, repos, now: context.now });
          report(check.outdated ? 'outdated' : 'up to date');
          return check;
        },
      })),
    );
  const problem = 'looking up new commits needs the network';
  const results = await withHub(context, runAll, manifest.endpoint, problem);
  return entries.flatMap((one, index): Checked[] => {
    const result = results[index];
    if (result === undefined) return [];
    if (result.status === 'fulfilled') return [{ ...one, check: result.value }];
    if (result.reason instanceof HugError) return [{ ...one, check: result.reason }];
    throw result.reason;
  });
}

function rowOf({ entry, locked, check }: Checked): Output<'outdated'>['entries'][number] {
  const { name, type } = entry;
  const pin = locked === undefined ? null : { ref: locked.ref, rev: locked.rev };
  const row = { name, type, locked: pin };
  if (check instanceof HugError) {
    const unknown = { wanted: null, latest: null, outdated: null, classes: null };
    return { ...row, ...unknown, ...errorJson(check) };
  }
  const { wanted, latest, outdated, classes, waiting } = check;
  return {
    ...row,
    wanted,
    latest,
    outdated,
    classes: classes ?? null,
    ...(waiting === undefined ? {} : { waiting }),
  };
}

const HEAD = ['entry', 'locked', 'wanted', 'latest', 'changes'].map((text) => ({
  text,
  style: 'dim' as const,
}));

/** A row for each entry that is outdated or has a newer version outside its range. */
async function outdatedText({ entries }: Output<'outdated'>, columns?: number): Promise<string> {
  const rows = entries.flatMap((entry) => {
    const { locked, wanted, latest, outdated, classes } = entry;
    if (wanted === null || latest === null) return [];
    if (outdated === false && latest.rev === wanted.rev) return [];
    return [
      [
        placeOf(entry),
        locked === null ? 'not locked' : pinText(locked),
        outdated === true ? { text: pinText(wanted), style: 'yellow' as const } : pinText(wanted),
        pinText(latest),
        classes?.join(' ') ?? '',
      ],
    ];
  });
  const waiting = entries.flatMap((entry) =>
    entry.waiting === undefined
      ? []
      : [
          `${placeOf(entry)}: ${pinText(entry.waiting)} is old enough at ${entry.waiting.until} (minimumAge)`,
        ],
  );
  if (rows.length > 0) {
    return [...(await table([HEAD, ...rows], { columns })), ...waiting].join('\n');
  }
  return entries.some(({ error }) => error !== undefined) ? '' : 'everything is up to date';
}

/** A commit as the table shows it: `v1.2.0 c170c708c41d`. */
function pinText({ ref, rev }: Pin): string {
  const commit = shortRev(rev);
  return ref === rev ? commit : `${ref} ${commit}`;
}
