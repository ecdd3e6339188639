import { groupBy } from '../collections.ts';
import { EXIT, HugError } from '../errors.ts';
import type { HubApi } from '../hub/api.ts';
import { type NamedEntry, placeOf } from '../lock/entries.ts';
import type { Lock } from '../lock/schema.ts';
import type { Output } from '../output/json-schema.ts';
import { type CommandResult, errorJson } from '../output/result.ts';
import { table } from '../output/table.ts';
import { count } from '../output/text.ts';
import { readChosen } from '../project/chosen.ts';
import type { CommandContext } from '../project/context.ts';
import type { GroupOptions } from '../project/groups.ts';
import { readManifestIfAny } from '../project/project.ts';
import { withHub } from '../project/repository.ts';
import type { EntryAudit, Finding } from '../resolve/audit.ts';

/** An entry, and what is wrong with it. */
interface Audited {
  readonly named: NamedEntry;
  readonly findings: readonly Finding[];
}

/**
 * `nix-hug audit [name…]`: asks the Hub about what is locked, and checks the policy of the manifest.
 * Reads no file and writes none. The failure of one entry does not hide the others.
 */
export async function run(
  context: CommandContext,
  names: readonly string[],
  groups: GroupOptions,
): Promise<CommandResult> {
  const { lock, entries, note } = readChosen(context, names, groups, { allGroups: true });
  const violations = await policyFindings(lock, context);
  const results = entries.length === 0 ? [] : await askAll(entries, lock, context);
  const audited: Audited[] = [];
  const failed = new Map<NamedEntry, HugError>();
  for (const [index, named] of entries.entries()) {
    const result = results[index];
    if (result instanceof HugError) failed.set(named, result);
    const findings = result instanceof HugError ? [] : (result?.findings ?? []);
    audited.push({ named, findings: [...findings, ...(violations.get(placeOf(named)) ?? [])] });
  }
  warnOfScans(entries, results, context);
  const found = audited.some(({ findings }) => findings.length > 0);
  return {
    json: {
      findings: audited.flatMap(({ named: { name, type }, findings }) =>
        findings.map(({ kind, path, message }) => ({ entry: name, type, kind, path, message })),
      ),
      failed: [...failed].map(([{ name, type }, error]) => ({
        entry: name,
        type,
        ...errorJson(error),
      })),
    } satisfies Output<'audit'>,
    text: (columns) => auditText(audited, failed.size, columns),
    note,
    errors: [...failed].map(([named, error]) => error.within(placeOf(named))),
    exitStatus: found || failed.size > 0 ? EXIT.failed : EXIT.ok,
  };
}

/** What breaks the policy of the manifest, by the place of its entry; nothing without a manifest. */
async function policyFindings(
  lock: Lock,
  context: CommandContext,
): Promise<ReadonlyMap<string, readonly Finding[]>> {
  const manifest = readManifestIfAny(context);
  if (manifest?.policy === undefined) return new Map();
  const { manifestViolations, violationText } = await import('../resolve/policy.ts');
  const violations = manifestViolations(manifest, lock, context.now).map((violation) => {
    const [path = null, ...others] = violation.paths;
    const message = violationText(violation);
    const finding = { kind: 'policy' as const, path: others.length === 0 ? path : null, message };
    return { place: violation.place, finding };
  });
  const byPlace = groupBy(violations, ({ place }) => place);
  return new Map([...byPlace].map(([place, all]) => [place, all.map(({ finding }) => finding)]));
}

/** Entries of one repository at one commit are asked about once. */
async function askAll(
  entries: readonly NamedEntry[],
  lock: Lock,
  context: CommandContext,
): Promise<readonly (EntryAudit | HugError)[]> {
  const { auditEntry } = await import('../resolve/audit.ts');
  const runAll = (hub: HubApi) =>
    context.runTasks(
      entries.map((named) => ({
        title: placeOf(named),
        run: async (report) => {
          report('asking the Hub');
          const audit = await auditEntry(named, hub);
          const found = audit.findings.length;
          report(found === 0 ? 'no findings' : count(found, 'finding', 'findings'));
          return audit;
        },
      })),
    );
  const problem = 'an audit asks the Hub; nix-hug lock --check tells of the policy without it';
  const results = await withHub(context, runAll, lock.endpoint, problem);
  return results.map((result) => {
    if (result.status === 'fulfilled') return result.value;
    if (result.reason instanceof HugError) return result.reason;
    throw result.reason;
  });
}

/** One line for each warning, however many entries it is about. */
function warnOfScans(
  entries: readonly NamedEntry[],
  results: readonly (EntryAudit | HugError)[],
  { warn }: CommandContext,
): void {
  const warnings = results.flatMap((result, index) => {
    const named = entries[index];
    if (result instanceof HugError || named === undefined) return [];
    return result.warnings.map((text) => ({ text, place: placeOf(named) }));
  });
  for (const [text, [{ place }, ...others]] of groupBy(warnings, (warning) => warning.text)) {
    const more = others.length === 0 ? '' : ` and ${others.length} more`;
    warn(`${place}${more}: ${text}`);
  }
}

const HEAD = ['entry', 'finding', 'path', 'what it is'].map((text) => ({
  text,
  style: 'dim' as const,
}));

/** A row for each finding, and a line on all. */
async function auditText(
  audited: readonly Audited[],
  failures: number,
  columns?: number,
): Promise<string> {
  const rows = audited.flatMap(({ named, findings }) =>
    findings.map(({ kind, path, message }) => [
      placeOf(named),
      { text: kind, style: 'red' as const },
      path ?? '',
      message,
    ]),
  );
  const lines = rows.length === 0 ? [] : await table([HEAD, ...rows], { columns });
  const asked = count(audited.length - failures, 'entry', 'entries');
  const found = rows.length === 0 ? 'no findings' : count(rows.length, 'finding', 'findings');
  return [...lines, `${asked} audited: ${found}`].join('\n');
}
