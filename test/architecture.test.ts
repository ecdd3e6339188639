import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const SRC = path.join(import.meta.dirname, '..', 'src');

/** Stations of the data flow and the stations each may import. `base` is the files of `src` itself. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  base: [],
  manifest: ['base'],
  hub: ['base'],
  lock: ['base'],
  resolve: ['base', 'manifest', 'hub', 'lock'],
  store: ['base', 'lock'],
  cache: ['base', 'transfer'],
  transfer: ['base', 'hub'],
  commands: ['base', 'manifest', 'hub', 'lock', 'resolve', 'store', 'cache', 'transfer'],
  cli: ['base', 'hub', 'store', 'cache', 'transfer', 'commands'],
  bin: ['base', 'cli'],
  launch: ['base'],
  index: ['base', 'manifest', 'hub', 'lock', 'resolve', 'store'],
};

/** Packages and system modules, and the only places that may import them. */
const ONLY_IN: Record<string, readonly string[]> = {
  '@commander-js/extra-typings': ['cli/program.ts', 'cli/table/', 'cli/completion/'],
  'cli-truncate': ['cli/frame.ts', 'commands/table.ts'],
  cosmiconfig: ['manifest/locate.ts', 'manifest/cosmiconfig-explorer.d.ts'],
  leven: ['manifest/', 'commands/entries.ts'],
  listr2: ['cli/live.ts'],
  'p-limit': [
    'hub/http.ts',
    'transfer/downloads.ts',
    'store/pipeline.ts',
    'commands/bring/reading.ts',
  ],
  picomatch: ['resolve/glob.ts'],
  'pretty-bytes': ['transfer/space.ts', 'commands/', 'cli/transfers.ts'],
  semver: ['manifest/', 'resolve/version.ts'],
  'string-width': ['cli/frame.ts', 'commands/table.ts'],
  undici: ['hub/connection.ts', 'hub/exchanges.ts'],
  valibot: [
    'plain-object.ts',
    'manifest/',
    'hub/',
    'lock/',
    'commands/output-schema.ts',
    'commands/output-schema/',
  ],
  yaml: ['manifest/'],
  'node:buffer': ['hub/answer.ts'],
  'node:child_process': ['store/tools.ts'],
  'node:crypto': ['integrity.ts', 'transfer/claim.ts', 'lock/file.ts', 'store/store-path.ts'],
  'node:events': ['hub/http.ts'],
  'node:fs': [
    'compiled.ts',
    'cache/write/blob.ts',
    'cache/content.ts',
    'cache/scan/folder.ts',
    'cache/scan/index-file.ts',
    'cache/scan/kept-repo.ts',
    'cache/scan/refs.ts',
    'cache/scan/repo-folder.ts',
    'cache/scan/scan-index.ts',
    'cache/scan/scan.ts',
    'cache/scan/snapshot.ts',
    'store/on-disk.ts',
    'cli/context.ts',
    'cli/standard-stream.ts',
    'lock/file.ts',
    'manifest/locate.ts',
  ],
  'node:fs/promises': [
    'atomic-file.ts',
    'manifest/create.ts',
    'manifest/file.ts',
    'hub/auth.ts',
    'transfer/claim.ts',
    'transfer/partial.ts',
    'transfer/space.ts',
    'lock/file.ts',
    'cache/digests.ts',
    'cache/scan/expected.ts',
    'cache/find.ts',
    'cache/write/blob.ts',
    'cache/write/folders.ts',
    'cache/inside.ts',
    'cache/write/links.ts',
    'cache/write/put.ts',
    'cache/write/tree.ts',
    'cache/write/write.ts',
    'store/nix.ts',
  ],
  'node:os': ['transfer/claim.ts', 'bin.ts'],
  'node:path': [
    'bin.ts',
    'compiled.ts',
    'launch.ts',
    'atomic-file.ts',
    'hub-home.ts',
    'manifest/file.ts',
    'manifest/locate.ts',
    'hub/auth.ts',
    'transfer/claim.ts',
    'transfer/partial.ts',
    'lock/file.ts',
    'cache/',
    'commands/',
    'cli/',
  ],
  'node:process': ['bin.ts', 'launch.ts'],
  'node:readline': ['cli/confirm.ts'],
  'node:stream': ['hub/answer.ts'],
  'node:timers/promises': ['cache/scan/scan.ts', 'cache/write/tree.ts', 'hub/retry.ts'],
  'node:util': ['cli/paint.ts', 'resolve/repair.ts', 'store/tools.ts'],
  'node:vm': ['compiled.ts'],
  'node:zlib': ['hub/answer.ts'],
};

/** Names that must stand in these files only, as text. */
const NAMED_ONLY_IN: Record<string, readonly string[]> = {
  'process.exit': ['bin.ts', 'launch.ts'],
  'process.env': ['bin.ts'],
  'console.': [],
  localeCompare: [],
};

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => ({ file, text: readFileSync(path.join(SRC, file), 'utf8') }));

const stationOf = (file: string): string => {
  const [first = '', ...rest] = file.split('/');
  if (rest.length > 0) return first;
  return /^(bin|index|launch)\.ts$/u.exec(file)?.[1] ?? 'base';
};

const importsOf = (text: string): string[] =>
  [...text.matchAll(/(?:\bfrom|\bimport\(|^import)\s*'(?<name>[^']+)'/gmu)].map(
    (match) => match.groups?.['name'] ?? '',
  );

const packageOf = (name: string): string =>
  name.startsWith('node:') ? name : name.split('/', name.startsWith('@') ? 2 : 1).join('/');

describe('architecture', () => {
  it('has the stations of the data flow and no others', () => {
    expect(new Set(files.map(({ file }) => stationOf(file)))).toEqual(
      new Set(Object.keys(MAY_IMPORT)),
    );
  });

  it.each(files)('$file imports only what its station may', ({ file, text }) => {
    const station = stationOf(file);
    const allowed = new Set([station, ...(MAY_IMPORT[station] ?? [])]);
    for (const name of importsOf(text)) {
      if (name.startsWith('.')) {
        const target = path.posix.join(path.posix.dirname(file), name);
        expect(allowed, `${file} imports ${name}`).toContain(stationOf(target));
      } else {
        const places = ONLY_IN[packageOf(name)] ?? [];
        expect(
          places.some((place) => (place.endsWith('/') ? file.startsWith(place) : file === place)),
          `${file} imports ${name}`,
        ).toBe(true);
      }
    }
  });

  it('takes the types of outputs alone from their schemas, which no run shall load', () => {
    const importers = files.filter(
      ({ file, text }) =>
        text.includes('/output-schema') && !file.startsWith('commands/output-schema'),
    );
    expect(importers.length).toBeGreaterThan(0);
    for (const { file, text } of importers) {
      expect(text, file).toMatch(
        /^import type \{ Output \} from '[./a-z]+\/output-schema\.ts';$/mu,
      );
      expect(text.match(/output-schema/gu), file).toHaveLength(1);
    }
  });

  it.each(Object.entries(NAMED_ONLY_IN))('%s stands only in %s', (name, places) => {
    const holders = files.filter(({ text }) => text.includes(name)).map(({ file }) => file);
    expect(holders).toEqual(places);
  });

  it('imports only what an installation has', () => {
    const manifest: { dependencies: Record<string, string> } = JSON.parse(
      readFileSync(path.join(SRC, '..', 'package.json'), 'utf8'),
    );
    const packages = Object.keys(ONLY_IN).filter((name) => !name.startsWith('node:'));
    const extra = ['commander']; // what @commander-js/extra-typings wraps
    expect(Object.keys(manifest.dependencies).toSorted()).toEqual(
      [...packages, ...extra].toSorted(),
    );
  });

  it('lists no package that nothing imports', () => {
    const imported = new Set(files.flatMap(({ text }) => importsOf(text)).map(packageOf));
    expect(Object.keys(ONLY_IN).filter((name) => !imported.has(name))).toEqual([]);
  });
});
