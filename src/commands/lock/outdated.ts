import { EXIT, HugError } from '../../errors.ts';
import type { Pin } from '../../lock/diff.ts';
import { entriesOf, placeOf } from '../../lock/entries.ts';
import type { LockedEntry } from '../../lock/schema.ts';
import type { ManifestEntry } from '../../manifest/schema.ts';
import type { Looked } from '../../resolve/outlook.ts';
import { manifestEntriesNamed } from '../entries.ts';
import { errorJson } from '../error-json.ts';
import { assertOnline } from '../online.ts';
import type { Output } from '../output-schema.ts';
import { type ProjectContext, readLockedProject } from '../project.ts';
import { outdatedText } from './outdated-text.ts';

import type { RelockContext } from './relock.ts';
import type { CommandResult } from '../result.ts';

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
  readonly found: Looked | HugError;
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
  const { outlookOf } = await import('../../resolve/outlook.ts');
  const hub = await context.connect(endpoint);
  try {
    const results = await context.runTasks(
      asked.map(({ entry, locked }) => ({
        title: placeOf(entry),
        run: async (report) => {
          report('looking up');
          const looked = await outlookOf(entry, locked, hub);
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
function valueOf(result: PromiseSettledResult<Looked>): Looked | HugError {
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
