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
  /** Add entries for what the Hugging Face cache holds, and lock them. */
  readonly fromCache?: boolean;
}

/**
 * `nix-hug init`: writes a manifest without entries, and a flake that uses its lock. What is there stays
 * as it is.
 */
export async function run(
  context: CommandContext,
  { flake = false, fromCache = false }: InitOptions,
): Promise<CommandResult> {
  const { cwd, manifest, templateFolder } = context;
  const cached = fromCache
    ? await (await import('./init-from-cache.ts')).addFromCache(context)
    : undefined;
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
  const { added = [], skipped = [] } = cached?.json ?? {};
  const byCache = cached?.written ?? [];
  const written = [...byCache, ...namesOf(made)];
  const kept = namesOf(files.filter((file) => !made.includes(file))).filter(
    (name) => !byCache.includes(name),
  );
  const ofFiles = [
    ...(made.length === 0 ? [] : [`${namesOf(made).join(' and ')} written`]),
    ...(kept.length === 0 ? [] : [`${kept.join(' and ')} kept as it was`]),
  ].join('; ');
  return {
    json: { written, kept, added, skipped } satisfies Output<'init'>,
    text: [...(cached?.text ?? []), ...(ofFiles === '' ? [] : [ofFiles])].join('\n'),
    next: nextAfter(added.length, made.includes(manifestFile), written.length),
    exitStatus: EXIT.ok,
  };
}

function nextAfter(added: number, isNew: boolean, written: number): string | undefined {
  if (added > 0) return 'nix-hug import, which adds the cached files to the Nix store';
  if (written === 0) return undefined;
  return isNew ? 'nix-hug add org/name' : 'nix-hug lock';
}
