import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeNix, LIBRARY, nixString, PKGS } from '../support/nix.ts';

const REPOSITORY = path.join(import.meta.dirname, '..', '..');
const STUBS = path.join(import.meta.dirname, 'module-stubs.nix');
const OPTIONS = path.join(REPOSITORY, 'nix', 'module-options.nix');
const LOCK = nixString(path.join(REPOSITORY, 'examples', 'minimal', 'hug.lock.json'));
const LOCKED = `((${LIBRARY} { pkgs = ${PKGS}; }).importLock ${LOCK})`;

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
    const options = `builtins.attrNames (import ${nixString(OPTIONS)} {
      config = { };
      pkgs = { };
      inherit (${PKGS}) lib;
    })`;
    const text = await readFile(path.join(REPOSITORY, 'docs', 'modules.md'), 'utf8');
    const rows = [...text.matchAll(/^\| `(?<name>\w+)` \|/gmu)].map(
      ({ groups }) => groups?.['name'],
    );
    expect(new Set(rows)).toEqual(new Set((await nix().evaluate(options)) as string[]));
  });

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

  describe('Home Manager', () => {
    const module = 'module-home-manager.nix';

    it('lets a named service of the user find the cache and no network', async () => {
      const environment = 'systemd.user.services.chat.Service.Environment';
      expect(await value(module, forService, environment)).toEqual(
        Object.entries(await variables()).map(([name, text]) => `${name}=${String(text)}`),
      );
      expect(await value(module, forService, 'home.sessionVariables')).toEqual({});
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
