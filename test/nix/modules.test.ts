import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatLock } from '../../src/lock/codec.ts';
import { lockedEntry, lockOf } from '../support/locks.ts';
import { describeNix, LIBRARY, nixString, NIXPKGS_LIB, PKGS } from '../support/nix.ts';

/** What `optionAttrSetToDocList` says of an option. */
interface DocumentedOption {
  readonly name: string;
  readonly description: string;
  /** Text of a default that is an expression; `null` for prose and none. */
  readonly expression: string | null;
}

const REPOSITORY = path.join(import.meta.dirname, '..', '..');
const STUBS = path.join(import.meta.dirname, 'module-stubs.nix');
const MODULES = ['module-nixos.nix', 'module-darwin.nix', 'module-home-manager.nix'];
const LOCK = nixString(path.join(REPOSITORY, 'examples', 'minimal', 'hug.lock.json'));
const LOCKED = `((${LIBRARY} { pkgs = ${PKGS}; }).importLock ${LOCK})`;
const LOCK_WITH_GROUPS = formatLock(
  lockOf({
    always: lockedEntry({ repo: 'org/always' }),
    large: lockedEntry({ repo: 'org/large', groups: ['gpu'] }),
    other: lockedEntry({ repo: 'org/other', groups: ['dev'] }),
  }),
);

/** An expression for the options of an operating system with a module and its settings. */
const configOf = (module: string, settings: string) => `
  let
    pkgs = ${PKGS};
    inherit (pkgs) lib;
  in
  (lib.evalModules {
    specialArgs = { inherit lib pkgs; };
    modules = [
      (import ${nixString(STUBS)} { inherit lib; })
      (import ${nixString(path.join(REPOSITORY, 'nix', module))})
      { ${settings} }
    ];
  }).config`;

describeNix('modules', (nix) => {
  const value = (module: string, settings: string, part: string) =>
    nix().evaluate(`(${configOf(module, settings)}).${part}`);
  const failure = (module: string, settings: string, part: string) =>
    nix().evaluationError(`(${configOf(module, settings)}).${part}`);
  const cachePath = (cache = `${LOCKED}.cache`) => nix().evaluate(`"\${${cache}}"`);
  const variables = async () => {
    const cache = await cachePath();
    return {
      HF_HUB_CACHE: cache,
      HF_HUB_OFFLINE: '1',
      HUGGINGFACE_HUB_CACHE: cache,
      NIX_HUG_ENV: cache,
    };
  };

  const enabled = `programs.nix-hug = { enable = true; lock = ${LOCK}; };`;
  const forService = `${enabled} programs.nix-hug.services = [ "chat" ];`;

  it('have the options of their documentation and no others', async () => {
    const options = MODULES.map(
      (module) => `(import ${nixString(path.join(REPOSITORY, 'nix', module))} {
        config = { };
        pkgs = { };
        inherit (${PKGS}) lib;
      }).options.programs.nix-hug`,
    );
    const names = `builtins.attrNames (${options.join(' // ')})`;
    const text = await readFile(path.join(REPOSITORY, 'docs', 'modules.md'), 'utf8');
    const rows = [...text.matchAll(/^\| `(?<name>\w+)` \|/gmu)].map(
      ({ groups }) => groups?.['name'],
    );
    expect(new Set(rows)).toEqual(new Set((await nix().evaluate(names)) as string[]));
  });

  // The stand-in has no `optionAttrSetToDocList`.
  it.runIf(NIXPKGS_LIB !== undefined).each(MODULES)(
    'has options in %s whose documentation can be written without a lock',
    async (module) => {
      const list = (await nix().evaluate(`
        let
          pkgs = ${PKGS};
          inherit (pkgs) lib;
          evaluated = lib.evalModules {
            specialArgs = { inherit pkgs; };
            modules = [
              (import ${nixString(STUBS)} { inherit lib; })
              (import ${nixString(path.join(REPOSITORY, 'nix', module))})
            ];
          };
        in
        map
          (option: {
            inherit (option) name description;
            expression =
              if option.default._type or null == "literalExpression" then option.default.text else null;
          })
          (builtins.filter (option: builtins.elem "nix-hug" option.loc)
            (lib.optionAttrSetToDocList evaluated.options))`)) as DocumentedOption[];
      expect(list.length).toBeGreaterThan(7);
      for (const { name, description, expression } of list) {
        expect(description, name).toMatch(/\.\n?$/u);
        // Prose that is marked as an expression would be printed as code.
        if (expression !== null) expect(expression, name).toMatch(/^(?:\[ \]|\w+)$/u);
      }
    },
  );

  /** Settings for a lock with the groups `gpu` and `dev`. */
  const withGroups = async (groups: string) => {
    const file = path.join(nix().folder, 'hug.lock.json');
    await writeFile(file, LOCK_WITH_GROUPS);
    return `programs.nix-hug = { enable = true; lock = ${nixString(file)}; ${groups} };`;
  };

  describe('NixOS', () => {
    const module = 'module-nixos.nix';
    const services = 'systemd.services';

    it('lets a named service, and no other, find the cache and no network', async () => {
      const other = 'systemd.services.other.environment.A = "b";';
      const named = 'systemd.services.chat.environment.A = "b";';
      const settings = `${forService} ${other} ${named}`;
      const environments = 'mapAttrs (_name: service: service.environment)';
      const found = `(builtins.${environments} (${configOf(module, settings)}).${services})`;
      expect(await nix().evaluate(found)).toEqual({
        chat: { A: 'b', ...(await variables()) },
        other: { A: 'b' },
      });
      expect(await value(module, forService, 'environment.sessionVariables')).toEqual({});
    });

    it('sets the same for sessions when it is asked to', async () => {
      const settings = `${enabled} programs.nix-hug.sessions = true;`;
      expect(await value(module, settings, 'environment.sessionVariables')).toEqual(
        await variables(),
      );
    });

    it('installs the command line', async () => {
      const names = `builtins.map (package: package.pname) (${configOf(module, enabled)})`;
      expect(await nix().evaluate(`${names}.environment.systemPackages`)).toEqual(['nix-hug']);
    });

    it('installs nothing without a package', async () => {
      const settings = `${enabled} programs.nix-hug.package = null;`;
      expect(await value(module, settings, 'environment.systemPackages')).toEqual([]);
    });

    it('warns of a service that no other module starts', async () => {
      const start = 'systemd.services.chat.serviceConfig.ExecStart = "/bin/chat";';
      const settings = `${start} ${enabled} programs.nix-hug.services = [ "chat" "caht" ];`;
      expect(await value(module, settings, 'warnings')).toEqual([expect.stringContaining('caht')]);
    });

    it('takes a part of a lock as the cache, and then needs no lock', async () => {
      const part = `(${LIBRARY} { pkgs = ${PKGS}; }).buildCache {
        datasets = [ ${LOCKED}.datasets.rows ];
      }`;
      const settings = `programs.nix-hug = { enable = true; sessions = true; cache = ${part}; };`;
      const variable = 'environment.sessionVariables.HF_HUB_CACHE';
      expect(await value(module, settings, variable)).toBe(await cachePath(`(${part})`));
    });

    it('takes the groups of a lock that are named', async () => {
      const foldersOf = async (groups: string) => {
        const settings = await withGroups(groups);
        const plan = await value(module, settings, 'programs.nix-hug.cache.plan');
        return [...new Set(String(plan).match(/models--org--\w+/gu))].toSorted();
      };
      const [always, large, other] = ['always', 'large', 'other'].map((id) => `models--org--${id}`);
      expect(await foldersOf('')).toEqual([always, large, other]);
      expect(await foldersOf('groups = [ ];')).toEqual([always]);
      expect(await foldersOf('groups = [ "gpu" ];')).toEqual([always, large]);
      expect(await foldersOf('groups = [ "gpu" "dev" ];')).toEqual([always, large, other]);
    });

    it('says which groups the lock has when one is misspelt', async () => {
      const settings = await withGroups('groups = [ "gup" ];');
      expect(await failure(module, settings, 'programs.nix-hug.cache.outPath')).toContain(
        'no entry is in the group "gup"; the groups are: dev, gpu',
      );
    });

    it('does nothing unless it is enabled', async () => {
      const settings = 'programs.nix-hug.services = [ "chat" ];';
      expect(await value(module, settings, services)).toEqual({});
      expect(await value(module, settings, 'environment.systemPackages')).toEqual([]);
    });

    it('says which option is missing, of a wrong type, or not to be set', async () => {
      const wrong = (settings: string) =>
        failure(
          module,
          `programs.nix-hug = { enable = true; sessions = true; ${settings} };`,
          'environment.sessionVariables',
        );
      expect(await wrong('')).toContain("option `programs.nix-hug.lock'");
      expect(await wrong('lock = 1;')).toContain("option `programs.nix-hug.lock'");
      expect(await wrong(`lock = ${LOCK}; environment = { };`)).toContain('read-only');
    });
  });

  describe('nix-darwin', () => {
    const module = 'module-darwin.nix';
    const jobs = `
      launchd.daemons.chat.serviceConfig.ProgramArguments = [ "/bin/chat" ];
      launchd.user.agents.draw.serviceConfig.Program = "/bin/draw";`;
    const named = `${jobs} ${enabled} programs.nix-hug = { services = [ "chat" ]; agents = [ "draw" ]; };`;
    const failed = (settings: string) =>
      nix().evaluate(
        `builtins.filter (one: !one.assertion) (${configOf(module, settings)}).assertions`,
      );

    it('lets named daemons and agents find the cache and no network', async () => {
      for (const job of ['daemons.chat', 'user.agents.draw']) {
        expect(await value(module, named, `launchd.${job}.environment`)).toEqual(await variables());
      }
      expect(await value(module, named, 'environment.variables')).toEqual({});
      expect(await failed(named)).toEqual([]);
    });

    it('refuses the name of a job that runs nothing', async () => {
      const misspelt = `${jobs} ${enabled} programs.nix-hug = { services = [ "draw" ]; agents = [ "chat" ]; };`;
      expect(await failed(misspelt)).toMatchObject([
        { message: expect.stringContaining('nix-hug.services: no module says what draw runs') },
        { message: expect.stringContaining('nix-hug.agents: no module says what chat runs') },
      ]);
    });

    it('sets the same for sessions, and installs the command line', async () => {
      const settings = `${enabled} programs.nix-hug.sessions = true;`;
      expect(await value(module, settings, 'environment.variables')).toEqual(await variables());
      const names = `builtins.map (package: package.pname) (${configOf(module, settings)})`;
      expect(await nix().evaluate(`${names}.environment.systemPackages`)).toEqual(['nix-hug']);
    });
  });

  describe('Home Manager', () => {
    const module = 'module-home-manager.nix';

    it('lets a named service of the user find the cache and no network', async () => {
      const environment = 'systemd.user.services.chat.Service.Environment';
      expect(await value(module, forService, environment)).toEqual(
        Object.entries(await variables()).map(([name, text]) => `${name}=${String(text)}`),
      );
      expect(await value(module, forService, 'home.sessionVariables')).toEqual({});
    });

    it('gives the launchd agent of the same name the same variables', async () => {
      const agent = 'launchd.agents.chat.config.EnvironmentVariables';
      expect(await value(module, forService, agent)).toEqual(await variables());
    });

    it('does not warn of a service that is a launchd agent', async () => {
      const settings = `launchd.agents.chat.enable = true; ${forService}`;
      expect(await value(module, settings, 'warnings')).toEqual([]);
    });

    it('warns of a service that no other module starts, and installs no package that is null', async () => {
      const start = 'systemd.user.services.chat.Service.ExecStart = "/bin/chat";';
      const settings = `${start} ${enabled}
        programs.nix-hug.services = [ "chat" "caht" ];
        programs.nix-hug.package = null;`;
      expect(await value(module, settings, 'warnings')).toEqual([expect.stringContaining('caht')]);
      expect(await value(module, settings, 'home.packages')).toEqual([]);
    });

    it('sets the same for sessions, and installs the command line', async () => {
      const settings = `${enabled} programs.nix-hug.sessions = true;`;
      expect(await value(module, settings, 'home.sessionVariables')).toEqual(await variables());
      const names = `builtins.map (package: package.pname) (${configOf(module, settings)})`;
      expect(await nix().evaluate(`${names}.home.packages`)).toEqual(['nix-hug']);
    });
  });
});
