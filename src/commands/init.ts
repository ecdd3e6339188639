import path from 'node:path';
import { createFiles, fileExists } from '../atomic-file.ts';
import { EXIT } from '../errors.ts';
import { lockPathOf } from '../lock/file.ts';
import { isThere, SEARCH_PLACES } from '../manifest/locate.ts';
import type { CommandContext } from '../project/context.ts';
import type { Output } from '../output/json-schema.ts';
import type { CommandResult } from '../output/result.ts';

export interface InitOptions {
  /** Write a `flake.nix` as well. */
  readonly flake?: boolean;
}

/** `nix-hug init`: writes a manifest without entries, and a flake that uses its lock. */
export async function run(
  { cwd, manifest, templateFolder }: CommandContext,
  { flake = false }: InitOptions,
): Promise<CommandResult> {
  const manifestFile = path.resolve(cwd, manifest ?? 'hug.yaml');
  const flakeFiles = flake ? [path.join(path.dirname(manifestFile), 'flake.nix')] : [];
  const places = manifest === undefined ? SEARCH_PLACES.map((place) => path.join(cwd, place)) : [];
  const there = [manifestFile, ...places, ...flakeFiles].find(isThere);
  if (there !== undefined) throw fileExists(there);

  const template = (name: string) => path.join(templateFolder, name);
  const lockName = path.basename(lockPathOf(manifestFile));
  await createFiles(
    [
      { template: template('hug.yaml'), file: manifestFile },
      ...flakeFiles.map((file) => ({ template: template('flake.nix'), file })),
    ],
    (text) => text.replaceAll('hug.lock.json', lockName),
  );
  const written = [manifestFile, ...flakeFiles].map((file) => path.relative(cwd, file));
  return {
    json: { written } satisfies Output<'init'>,
    text: `${written.join(' and ')} written; next: nix-hug add org/name`,
    exitStatus: EXIT.ok,
  };
}
