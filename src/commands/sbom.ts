import path from 'node:path';
import { writeOutput } from '../atomic-file.ts';
import { EXIT, usageError } from '../errors.ts';
import type { Output } from '../output/json-schema.ts';
import type { CommandResult } from '../output/result.ts';
import { createSbom, type SpecVersion } from '../output/sbom.ts';
import { count } from '../output/text.ts';
import { chosenEntries } from '../project/chosen.ts';
import type { CommandContext } from '../project/context.ts';
import type { GroupOptions } from '../project/groups.ts';
import { readLock } from '../project/project.ts';
import { escapeControls } from '../quote.ts';

/** Options of `sbom`. */
interface SbomOptions extends GroupOptions {
  readonly specVersion: SpecVersion;
  /** File to write to, instead of stdout. */
  readonly output?: string | undefined;
}

/** Names of locks and manifests, which a slip of `--output` must not replace. */
const PROJECT_FILE = /\.(?:lock\.json|ya?ml)$/iu;

/**
 * `nix-hug sbom [name…]`: prints the entries of the lock and what they need as CycloneDX JSON, or
 * writes it to a file. Sends no request.
 *
 * @throws HugError those of `readLock`, `chosenEntries` and `writeOutput`; `EHUG_USAGE` for a file
 *   that has the name of a lock or a manifest
 */
export async function run(
  context: CommandContext,
  names: readonly string[],
  { specVersion, output, ...groups }: SbomOptions,
): Promise<CommandResult> {
  if (output !== undefined && PROJECT_FILE.test(output)) {
    throw usageError(
      `--output ${escapeControls(output)} has the name of a lock or a manifest`,
      'Name another file, such as bom.json.',
    );
  }
  const lock = readLock(context, names);
  const { entries, note } = chosenEntries(lock, names, groups, { allGroups: true });
  const sbom = createSbom(lock, entries, specVersion);
  const text = JSON.stringify(sbom, null, 2);
  if (output === undefined) return { text, json: sbom, note, exitStatus: EXIT.ok };

  await writeOutput(path.resolve(context.cwd, output), `${text}\n`);
  const json: Output<'sbom'> = { file: output, specVersion, components: sbom.components.length };
  const files = sbom.components.reduce((sum, { components }) => sum + components.length, 0);
  return {
    text: `${escapeControls(output)} written: ${count(json.components, 'component', 'components')}, ${count(files, 'file', 'files')}`,
    json,
    note,
    exitStatus: EXIT.ok,
  };
}
