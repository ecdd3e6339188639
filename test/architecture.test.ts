import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const SRC = path.join(import.meta.dirname, '..', 'src');

/** Folders of `src`, in the order of the data flow, and those that each may import. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  base: [],
  manifest: ['base'],
  hub: ['base'],
  lock: ['base'],
  python: ['base'],
  resolve: ['base', 'manifest', 'hub', 'lock'],
  download: ['base', 'hub'],
  git: ['base', 'hub', 'download'],
  store: ['base'],
  cache: ['base', 'download'],
  mirror: ['base', 'download', 'cache'],
  copy: ['base', 'hub', 'lock', 'download', 'store', 'cache', 'mirror'],
  serve: ['base', 'lock', 'cache', 'copy'],
  project: [
    'base',
    'manifest',
    'hub',
    'lock',
    'python',
    'resolve',
    'git',
    'store',
    'cache',
    'copy',
    'output',
  ],
  output: ['base', 'lock', 'resolve'],
  commands: [
    'base',
    'manifest',
    'hub',
    'lock',
    'python',
    'resolve',
    'store',
    'cache',
    'mirror',
    'copy',
    'serve',
    'project',
    'output',
  ],
  cli: [
    'base',
    'hub',
    'download',
    'git',
    'store',
    'cache',
    'copy',
    'project',
    'output',
    'commands',
  ],
  bin: ['base', 'cli'],
  index: ['base', 'manifest', 'hub', 'lock', 'resolve'],
};

/** Packages, and the folders that may import them. */
const ONLY_IN: Record<string, readonly string[]> = {
  '@lezer/python': ['python'],
  '@commander-js/extra-typings': ['cli'],
  'cli-truncate': ['cli', 'output'],
  cosmiconfig: ['manifest'],
  leven: ['manifest', 'project', 'resolve'],
  listr2: ['cli'],
  'p-limit': ['hub', 'git', 'copy'],
  picomatch: ['resolve'],
  'pretty-bytes': ['resolve', 'download', 'project', 'output', 'commands', 'cli'],
  semver: ['manifest', 'resolve'],
  send: ['serve'],
  'string-width': ['cli', 'output'],
  undici: ['hub'],
  valibot: ['base', 'manifest', 'hub', 'lock', 'output'],
  yaml: ['manifest'],
};

/** Modules of Node that reach outside of the process, and the folders that may import them. */
const OUTSIDE: Record<string, readonly string[]> = {
  'node:child_process': ['git', 'store', 'cli'],
  'node:fs': ['base', 'manifest', 'lock', 'cache', 'store', 'serve', 'cli'],
  'node:fs/promises': [
    'base',
    'manifest',
    'hub',
    'lock',
    'python',
    'download',
    'git',
    'store',
    'cache',
    'mirror',
    'serve',
  ],
  'node:http': ['serve'],
  'node:os': ['bin', 'cli'],
  'node:process': ['bin'],
  'node:readline': ['cli'],
};

/** Names that must stand in these files only, as text. */
const NAMED_ONLY_IN: Record<string, readonly string[]> = {
  'process.exit': ['bin.ts'],
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
  return /^(bin|index)\.ts$/u.exec(file)?.[1] ?? 'base';
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
        const places = name.startsWith('node:') ? OUTSIDE[name] : (ONLY_IN[packageOf(name)] ?? []);
        if (places !== undefined) expect(places, `${file} imports ${name}`).toContain(station);
      }
    }
  });

  it('has no circle of imports', () => {
    const importsAt = new Map(
      files.map(({ file, text }) => [
        file,
        importsOf(text)
          .filter((name) => name.startsWith('.'))
          .map((name) => path.posix.join(path.posix.dirname(file), name)),
      ]),
    );
    const done = new Set<string>();
    const visit = (file: string, trail: readonly string[]): void => {
      expect(trail, [...trail, file].join(' → ')).not.toContain(file);
      if (done.has(file)) return;
      for (const target of importsAt.get(file) ?? []) visit(target, [...trail, file]);
      done.add(file);
    };
    for (const { file } of files) visit(file, []);
  });

  it('loads no schema of --json in a command: types alone are imported', () => {
    for (const { file, text } of files) {
      if (file.startsWith('output/json-schema')) continue;
      expect(text, file).not.toMatch(/^import \{[^}]*\} from '[^']*json-schema[^']*';$/mu);
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
    const packages = Object.keys(ONLY_IN);
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
