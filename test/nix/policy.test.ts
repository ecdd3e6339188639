import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatLock } from '../../src/lock/codec.ts';
import { lockedEntry, lockedFile, lockOf } from '../support/locks.ts';
import { describeNix, LIBRARY, nixString, PKGS } from '../support/nix.ts';
import { POLICY_CASES } from '../support/policy.ts';

const POLICY = `(import ${nixString(path.join(import.meta.dirname, '../../nix/policy.nix'))})`;

const json = (value: unknown) => `(builtins.fromJSON ${nixString(JSON.stringify(value))})`;

const files = (...paths: string[]) => new Map(paths.map((each) => [each, lockedFile(each)]));

describeNix('a policy in Nix', (nix) => {
  const imported = (lock: Parameters<typeof formatLock>[0], more: string) =>
    `((${LIBRARY} { pkgs = ${PKGS}; }).importLock {
      lock = builtins.fromJSON ${nixString(formatLock(lock))};
      ${more}
    })`;

  it.each(POLICY_CASES)('$title', async ({ policy, allow, lock, violations }) => {
    const sections: Record<string, Record<string, unknown>> = {};
    for (const [place, rules] of Object.entries(allow)) {
      const [section = '', name = ''] = place.split('.');
      (sections[section] ??= {})[name] = rules;
    }
    const found = await nix().evaluate(`map (v: [ v.place v.rule v.paths v.reason ]) (${POLICY} {
      policy = ${json({ ...policy, ...(Object.keys(allow).length === 0 ? {} : { allow: sections }) })};
      content = builtins.fromJSON ${nixString(formatLock(lock))};
      overrides = { };
    })`);
    expect(found).toEqual(violations);
  });

  describe('of importLock', () => {
    const lock = lockOf({
      a: lockedEntry({ repo: 'acme/a', files: files('x.bin', 'y.pt') }),
      b: lockedEntry({ repo: 'evil/b' }),
    });

    it('stops every attribute, with all violations', async () => {
      const policy = 'policy = { formats = "safe"; owners = [ "acme" ]; };';
      for (const attribute of ['cache.drvPath', 'models.b.repo', 'env', 'groups']) {
        await expect(nix().evaluate(`${imported(lock, policy)}.${attribute}`)).rejects.toThrow(
          /the lock breaks the policy:\s+models\.a breaks the rule formats: "x\.bin", "y\.pt" can run code when loaded\s+models\.b breaks the rule owners: it belongs to evil/u,
        );
      }
    });

    it('lets a lock that keeps it pass, by exemptions too', async () => {
      const policy =
        'policy = { formats = "safe"; allow.models.a = [ "formats" ]; remoteCode = "omit"; };';
      expect(await nix().evaluate(`${imported(lock, policy)}.models.a.repo`)).toBe('acme/a');
      expect(await nix().evaluate(`${imported(lock, 'policy = { };')}.models.a.repo`)).toBe(
        'acme/a',
      );
    });

    it('sees the names of overrides', async () => {
      const more = 'policy.remoteCode = "deny"; overrides.models.b."new.py" = ./x;';
      await expect(nix().evaluate(`${imported(lock, more)}.models.b.repo`)).rejects.toThrow(
        'models.b breaks the rule remoteCode: "new.py" is code',
      );
    });

    it.each([
      ['policy.minimumAge = "3d";', 'evaluation has no clock'],
      ['policy.format = "safe";', 'policy unknown key "format"'],
      ['policy.formats = "unsafe";', 'policy formats is not safe or any'],
      ['policy.licenses = [ ];', 'policy licenses is not a list of licences'],
      ['policy = "safe";', 'policy is not an object'],
      ['policy.allow.models.c = [ "formats" ];', 'policy allow.models.c is not in the lock'],
      ['policy.allow.needed.a = [ "formats" ];', 'is neither models nor datasets'],
      ['policy.allow.models.a = [ "format" ];', 'is not a list of rules: formats, remoteCode'],
    ])('refuses %s', async (policy, problem) => {
      await expect(nix().evaluate(`${imported(lock, policy)}.models.a.repo`)).rejects.toThrow(
        problem,
      );
    });
  });
});
