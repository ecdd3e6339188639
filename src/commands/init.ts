import path from 'node:path';
import { createFiles } from '../atomic-file.ts';
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

/**
 * `nix-hug init`: writes a manifest without entries, and a flake that uses its lock. What is there stays
 * as it is.
 */
export async function run(
  { cwd, manifest, templateFolder }: CommandContext,
  { flake = false }: InitOptions,
): Promise<CommandResult> {
  const named = path.resolve(cwd, manifest ?? 'hug.yaml');
  const places = manifest === undefined ? SEARCH_PLACES.map((place) => path.join(cwd, place)) : [];
  const manifestFile = places.find(isThere) ?? named;
  const folder = manifest === undefined ? cwd : path.dirname(named);
  const lock = path.relative(folder, lockPathOf(manifestFile));
  const files = [manifestFile, ...(flake ? [path.join(folder, 'flake.nix')] : [])];
  const made = await createFiles(
    files.map((file, index) => ({
      file,
      template: path.join(templateFolder, index === 0 ? 'hug.yaml' : 'flake.nix'),
    })),
    (text) => text.replaceAll('hug.lock.json', lock),
  );
  const namesOf = (some: readonly string[]) => some.map((file) => path.relative(cwd, file));
  const written = namesOf(made);
  const kept = namesOf(files.filter((file) => !made.includes(file)));
  const text = [
    ...(written.length === 0 ? [] : [`${written.join(' and ')} written`]),
    ...(kept.length === 0 ? [] : [`${kept.join(' and ')} kept as it was`]),
  ].join('; ');
  const next = made.includes(manifestFile) ? 'nix-hug add org/name' : 'nix-hug lock';
  return {
    json: { written, kept } satisfies Output<'init'>,
    text,
    next: made.length === 0 ? undefined : next,
    exitStatus: EXIT.ok,
  };
}
