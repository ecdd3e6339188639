import { copyFile, cp, mkdir, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { createExampleRepos } from './support/example-repos.ts';
import { type PlacedFlake, placeFlake } from './support/flake.ts';
import { type Hub, startHub } from './support/hub/index.ts';
import { describeNix, type Nix, nixString, PKGS } from './support/nix.ts';
import { describeClients, runPython } from './support/python.ts';
import { runCli } from './support/run-cli.ts';
import { tempFolder } from './support/temp.ts';

const EXAMPLES = path.join(import.meta.dirname, '..', 'examples');
const names = await readdir(EXAMPLES);

let hub: Hub;
beforeAll(async () => {
  hub = await startHub();
  await createExampleRepos(hub);
});
afterAll(() => hub.close());

it('covers what people begin with', () => {
  expect(names.toSorted()).toEqual([
    'adapter',
    'ci',
    'flake',
    'gguf-single-file',
    'many-models',
    'minimal',
    'nixos-service',
    'offline-python',
  ]);
});

describe.each(names)('examples/%s', (name) => {
  const folder = path.join(EXAMPLES, name);

  it('has a lock that is current', async () => {
    const check = await runCli(['lock', '--check'], { cwd: folder });
    expect([check.status, check.stdout]).toEqual([0, 'hug.lock.json is up to date\n']);
  });

  it('is locked to the very bytes of its lock', async () => {
    const copy = path.join(await tempFolder(), name);
    await mkdir(copy);
    await copyFile(path.join(folder, 'hug.yaml'), path.join(copy, 'hug.yaml'));
    const { status } = await runCli(['lock'], { cwd: copy, env: { HF_ENDPOINT: hub.endpoint } });
    expect(status).toBe(0);
    const [made, committed] = await Promise.all(
      [copy, folder].map((place) => readFile(path.join(place, 'hug.lock.json'), 'utf8')),
    );
    expect(made).toBe(committed);
  });
});

describe('examples/ci', () => {
  it('has nix-hug do what it can do', async () => {
    const folder = path.join(EXAMPLES, 'ci', '.github', 'workflows');
    const workflows = await Promise.all(
      ['models.yml', 'update.yml'].map((name) => readFile(path.join(folder, name), 'utf8')),
    );
    const commands = workflows.flatMap((text) => commandsOf(parse(text)));
    expect(commands).toEqual([
      ['lock', '--check'],
      ['update', '--significant'],
      ['diff', '--markdown'],
    ]);
    const project = path.join(await tempFolder(), 'ci');
    await cp(path.join(EXAMPLES, 'ci'), project, { recursive: true });
    for (const argv of commands) {
      const env = { HF_ENDPOINT: hub.endpoint };
      const { status, stderr } = await runCli(argv, { cwd: project, env });
      expect(status, stderr).toBe(0);
    }
  });
});

/** What a workflow has nix-hug do. */
function commandsOf({ jobs }: any): string[][] {
  return Object.values<any>(jobs)
    .flatMap((job) => job.steps)
    .flatMap(({ run = '' }) => /nix-hug -- (?<argv>[^|]*)/u.exec(run)?.groups?.['argv'] ?? [])
    .map((argv) => argv.trim().split(' '));
}

describeNix('examples, built by Nix', (nix) => {
  // As users do: nix-hug brings the files, Nix finds them in its store.
  beforeAll(async () => {
    for (const name of names) {
      await bring(nix(), path.join(EXAMPLES, name), hub.endpoint);
    }
  });

  const built = (name: string, attribute: string) => {
    const file = nixString(path.join(EXAMPLES, name, 'default.nix'));
    return nix().build(`(import ${file} { pkgs = ${PKGS}; })${attribute}`);
  };

  it('minimal', async () => {
    const model = await built('minimal', '.models.tiny-llama');
    expect(await readdir(model)).toContain('config.json');
  });

  it('adapter', async () => {
    expect(await readdir(await built('adapter', ''))).toEqual([
      '.locks',
      'models--nix-hug-examples--tiny-base',
      'models--nix-hug-examples--tiny-lora',
    ]);
  });

  it('gguf-single-file', async () => {
    const file = await built('gguf-single-file', '');
    expect(path.basename(file)).toMatch(/-tiny-Q4_K_M\.gguf$/u);
    expect((await readFile(file)).subarray(0, 4).toString()).toBe('GGUF');
  });

  it('many-models', async () => {
    const repositories = async (attribute: string) =>
      (await readdir(await built('many-models', attribute))).filter((name) => name !== '.locks');
    const [everything, chat, training] = [
      await repositories('.everything'),
      await repositories('.chat'),
      await repositories('.training'),
    ];
    const [llama, gguf, rows] = [
      'models--nix-hug-examples--tiny-llama',
      'models--nix-hug-examples--tiny-gguf',
      'datasets--nix-hug-examples--rows',
    ];
    expect(everything.toSorted()).toEqual([rows, gguf, llama]);
    expect(chat).toEqual([llama]);
    expect(training.toSorted()).toEqual([rows, llama]);
  });

  describe('offline-python', () => {
    describeClients((client) => {
      it('loads what it names', async () => {
        const cache = await built('offline-python', '.HUGGINGFACE_HUB_CACHE');
        const script = path.join(EXAMPLES, 'offline-python', 'load.py');
        const home = await tempFolder();
        expect(await runPython(client, script, { HF_HOME: home, HF_HUB_CACHE: cache })).toBe(
          'model: model-00001-of-00002.safetensors model-00002-of-00002.safetensors\nrows: 2\n',
        );
      });
    });
  });

  describe('as flakes', () => {
    let flake: PlacedFlake;
    beforeAll(async () => {
      flake = await placeFlake(nix());
    });

    const onExample = async (command: string, output: string, ...args: readonly string[]) => {
      const { status, stdout, stderr } = await flake.nixIn(
        nix().folder,
        command,
        ...flake.overrides('nix-hug'),
        `path:${output}`,
        '--json',
        ...args,
      );
      expect(status, stderr).toBe(0);
      return JSON.parse(stdout);
    };
    const place = async (name: string) => {
      const folder = path.join(nix().folder, name);
      await cp(path.join(EXAMPLES, name), folder, { recursive: true });
      return folder;
    };

    it('flake', async () => {
      const system = String(await nix().evaluate('builtins.currentSystem'));
      const output = `${await place('flake')}#packages.${system}.default`;
      const [{ outputs }] = await onExample('build', output, '--no-link');
      expect(await readdir(outputs.out)).toEqual([
        '.locks',
        'models--nix-hug-examples--tiny-llama',
      ]);
    });

    it('nixos-service', async () => {
      const stubs = path.join(import.meta.dirname, 'nix', 'module-stubs.nix');
      const nixpkgs = `${flake.folder}-nixpkgs`;
      await cp(stubs, path.join(nixpkgs, 'module-stubs.nix'));
      const apply = `module:
        let
          pkgs = import ${nixpkgs} { };
          inherit (pkgs) lib;
          inherit (lib.evalModules {
            specialArgs = { inherit lib pkgs; };
            modules = [ (import ${nixpkgs}/module-stubs.nix { inherit lib; }) module ];
          }) config;
        in
        {
          inherit (config.systemd.services.chat) environment;
          inherit (config.services.llama-cpp) model;
        }`;
      const output = `${await place('nixos-service')}#nixosModules.default`;
      const { environment, model } = await onExample('eval', output, '--impure', '--apply', apply);
      expect(model).toMatch(/-tiny-gguf\/tiny-Q8_0\.gguf$/u);
      expect(environment).toEqual({
        HF_HOME: '/var/cache/chat',
        HF_HUB_CACHE: expect.stringMatching(/-huggingface-cache$/u),
        HUGGINGFACE_HUB_CACHE: environment.HF_HUB_CACHE,
        HF_HUB_OFFLINE: '1',
        NIX_HUG_ENV: environment.HF_HUB_CACHE,
      });
    });
  });
});

/** Brings what a lock names into the store of a Nix. */
async function bring(nix: Nix, folder: string, endpoint: string): Promise<void> {
  const cache = { XDG_CACHE_HOME: path.join(nix.folder, 'cache') };
  const env = { ...nix.environment, ...cache, HF_ENDPOINT: endpoint };
  const { status, stderr } = await runCli(['fetch'], { cwd: folder, env });
  if (status !== 0) throw new Error(stderr);
}
