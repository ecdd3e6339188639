import { appendFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { formatLock } from '../../src/lock/codec.ts';
import { placeFlake, type PlacedFlake } from '../support/flake.ts';
import { startHub } from '../support/hub/index.ts';
import { lockOf } from '../support/locks.ts';
import { describeNix, nixString } from '../support/nix.ts';
import { type FileServer, serveFiles } from './file-server.ts';
import { makeRepository } from './repository.ts';

const REPOSITORY = path.join(import.meta.dirname, '..', '..');
const SYSTEMS = ['aarch64-darwin', 'aarch64-linux', 'x86_64-darwin', 'x86_64-linux'];
const onAllSystems = <T>(value: T) => Object.fromEntries(SYSTEMS.map((system) => [system, value]));

const model = await makeRepository({
  files: { 'config.json': '{}' },
  lfs: { 'x y.bin': 'weights' },
});

describeNix('flake.nix', (nix) => {
  let flake: PlacedFlake;
  let system: string;

  beforeAll(async () => {
    flake = await placeFlake(nix());
    system = String(await nix().evaluate('builtins.currentSystem'));
  });

  const succeedIn = async (folder: string, ...args: readonly string[]) => {
    const { status, stdout, stderr } = await flake.nixIn(folder, ...args);
    expect(status, stderr).toBe(0);
    return stdout;
  };
  const succeed = (...args: readonly string[]) => succeedIn(nix().folder, ...args);
  /** Runs `nix` on an output of the flake. */
  const onOutput = (command: string, output: string, ...args: readonly string[]) =>
    succeed(command, ...flake.overrides(), `${flake.address}#${output}`, ...args);
  const evaluate = async (output: string, apply: string) =>
    JSON.parse(await onOutput('eval', output, '--json', '--apply', apply));
  const build = async (address: string, ...overrides: readonly string[]) => {
    const built = await succeed('build', '--json', '--no-link', ...overrides, address);
    return String(JSON.parse(built)[0].outputs.out);
  };

  it('has the library for every system', async () => {
    const functions = [
      'buildCache',
      'checkLock',
      'fetchDataset',
      'fetchModel',
      'importLock',
      'linkTree',
      'override',
      'readLock',
    ];
    expect(await evaluate('lib', 'builtins.mapAttrs (system: builtins.attrNames)')).toEqual(
      onAllSystems(functions),
    );
    const text = await readFile(path.join(REPOSITORY, 'docs', 'nix-library.md'), 'utf8');
    for (const name of functions) expect(text).toMatch(new RegExp(`^## .*\`${name}\\b`, 'mu'));
  });

  it('has the command line for every system, with dependencies of one output', async () => {
    const outputs = await evaluate(
      'packages',
      'builtins.mapAttrs (system: p: [ p.default.system p.default.dependencies.outPath ])',
    );
    const [, dependencies] = outputs[system];
    expect(outputs).toEqual(
      Object.fromEntries(SYSTEMS.map((name) => [name, [name, dependencies]])),
    );
  });

  it('has the systems that its nixpkgs has', async () => {
    const placed = await placeFlake(nix(), 'newer');
    const nixpkgs = path.join(`${placed.folder}-nixpkgs`, 'flake.nix');
    const text = await readFile(nixpkgs, 'utf8');
    await writeFile(nixpkgs, text.replace('"x86_64-darwin"', ''));
    const show = ['flake', 'show', '--json', ...placed.overrides(), placed.address];
    const { status, stdout, stderr } = await placed.nixIn(nix().folder, ...show);
    expect(status, stderr).toBe(0);
    const systems = SYSTEMS.filter((name) => name !== 'x86_64-darwin');
    const outputs = JSON.parse(stdout);
    for (const output of ['packages', 'checks', 'devShells', 'apps']) {
      expect(Object.keys(outputs[output])).toEqual(systems);
    }
  });

  it('runs the command line', async () => {
    const text = await readFile(path.join(flake.folder, 'package.json'), 'utf8');
    const run = ['run', ...flake.overrides(), flake.address, '--', '--version'];
    expect(await succeed(...run)).toBe(`${JSON.parse(text).version}\n`);
    // It builds the package.
  }, 240_000);

  it('adds the command line to a nixpkgs', async () => {
    const nixpkgs = `import ${nixString(`${flake.folder}-nixpkgs`)} { }`;
    const overlay = `(import ${nixString(`${flake.folder}/flake.nix`)}).outputs`;
    const extended = await nix().evaluate(`
      let
        pkgs = ${nixpkgs};
        flake = ${overlay} { self = flake; nixpkgs.lib = pkgs.lib; };
      in
      (pkgs.extend flake.overlays.default).nix-hug.pname`);
    expect(extended).toBe('nix-hug');
  });

  it('has a shell with what its development needs', async () => {
    const version = await onOutput('develop', 'default', '--command', 'node', '--version');
    expect(version).toBe(`${process.version}\n`);
  });

  describe('nix flake check', () => {
    const check = (placed: PlacedFlake) =>
      placed.nixIn(nix().folder, 'flake', 'check', ...placed.overrides(), placed.address);

    it('passes', async () => {
      const { status, stderr } = await check(flake);
      expect(status, stderr).toBe(0);
    });

    it('fails when the lock of an example is out of date', async () => {
      const changed = await placeFlake(nix(), 'changed');
      await appendFile(
        path.join(changed.folder, 'examples/minimal/hug.yaml'),
        '  more: org/name\n',
      );
      const { status, stderr } = await check(changed);
      expect(status).not.toBe(0);
      expect(stderr).toContain('nix-hug-examples');
    });
  });

  it('offers its parts under the names that flakes, flake-parts and nixpkgs use', async () => {
    const placed = nixString(`${flake.folder}/flake.nix`);
    const nixpkgs = `import ${nixString(`${flake.folder}-nixpkgs`)} { }`;
    const names = await nix().evaluate(`
      let
        pkgs = ${nixpkgs};
        nixpkgs = { inherit (pkgs) lib; legacyPackages.\${pkgs.bash.system} = pkgs; };
        self = (import ${placed}).outputs { inherit self nixpkgs; };
        system = pkgs.bash.system;
        args = ((builtins.head self.flakeModules.default.imports).perSystem { inherit system; })._module.args;
        plain = import ${nixString(`${flake.folder}/default.nix`)} { inherit pkgs; };
        extended = pkgs.extend self.overlays.default;
        functions = builtins.attrNames self.lib.\${system};
      in
      [
        (self.packages.\${system}.nix-hug.outPath == self.packages.\${system}.default.outPath)
        (builtins.attrNames self.homeModules == builtins.attrNames self.homeManagerModules)
        (args.nix-hug.outPath == plain.nix-hug.outPath)
        (builtins.attrNames args.nix-hug-lib == functions)
        (builtins.attrNames plain.nix-hug-lib == functions)
        (builtins.attrNames extended.nix-hug-lib == functions)
      ]`);
    expect(names).toEqual([true, true, true, true, true, true]);
  });

  it('checks the lock of a project', async () => {
    const project = path.join(nix().folder, 'checked');
    await mkdir(project);
    const text = `{
      inputs.nix-hug.url = "path:${flake.folder}";
      outputs = { nix-hug, ... }: {
        checks.${system}.lock = nix-hug.lib.${system}.checkLock {
          src = ./.;
          package = nix-hug.packages.${system}.nix-hug;
        };
      };
    }`;
    await writeFile(path.join(project, 'flake.nix'), text);
    await writeFile(path.join(project, 'hug.yaml'), 'models: {}\n');
    await writeFile(path.join(project, 'hug.lock.json'), formatLock(lockOf({})));
    const output = `path:${project}#checks.${system}.lock`;
    await build(output, ...flake.overrides('nix-hug'));
    await writeFile(path.join(project, 'hug.yaml'), 'models: { m: org/name }\n');
    const argv = [
      'build',
      '--no-link',
      '--print-build-logs',
      ...flake.overrides('nix-hug'),
      output,
    ];
    const { status, stderr } = await flake.nixIn(nix().folder, ...argv);
    expect(status).not.toBe(0);
    expect(stderr).toContain('models.m');
  });

  describe('nix flake init', () => {
    it('makes a project whose cache and shell can be built', async () => {
      const project = path.join(nix().folder, 'project');
      await mkdir(project);
      await succeedIn(project, 'flake', 'init', '-t', flake.address);
      expect((await readdir(project)).toSorted()).toEqual([
        'flake.nix',
        'hug.lock.json',
        'hug.yaml',
      ]);
      const overrides = flake.overrides('nix-hug');
      const cache = await build(`path:${project}#packages.${system}.default`, ...overrides);
      expect(await readdir(cache)).toEqual([]);
      const names = ['HF_HUB_CACHE', 'HUGGINGFACE_HUB_CACHE', 'NIX_HUG_ENV', 'HF_HUB_OFFLINE'];
      const shell = ['develop', ...overrides, `path:${project}`, '--command'];
      expect(await succeed(...shell, 'printenv', ...names)).toBe(
        `${cache}\n${cache}\n${cache}\n1\n`,
      );

      // What is for programs is not for nix-hug, which works there as anywhere.
      const hub = await startHub();
      onTestFinished(() => hub.close());
      const repo = await hub.createRepo({ type: 'model', id: 'org/tiny' });
      await repo.commit({ files: { 'config.json': '{}' } });
      const add = ['nix-hug', '-C', project, 'add', 'hf:org/tiny'];
      expect(await succeed(...shell, 'env', `HF_ENDPOINT=${hub.endpoint}`, ...add)).toContain(
        'hug.yaml and hug.lock.json written, 1 entry added (1 in all)',
      );
    });
  });

  describe('examples/flake', () => {
    let server: FileServer;
    beforeAll(async () => {
      server = await serveFiles(model.addresses);
    });
    afterAll(() => server.close());

    it('uses it as it is, in pure evaluation', async () => {
      const example = path.join(flake.folder, 'examples', 'flake');
      const project = path.join(nix().folder, 'example');
      await mkdir(project);
      await writeFile(
        path.join(project, 'flake.nix'),
        await readFile(path.join(example, 'flake.nix')),
      );
      await writeFile(
        path.join(project, 'hug.lock.json'),
        formatLock(lockOf({ m: model.entry }, { endpoint: server.endpoint })),
      );
      const cache = await build(
        `path:${project}#packages.${system}.default`,
        ...flake.overrides('nix-hug'),
      );
      const snapshot = path.join(cache, 'models--org--name/snapshots', model.entry.rev);
      expect(await readFile(path.join(snapshot, 'x y.bin'), 'utf8')).toBe('weights');
    });
  });
});
