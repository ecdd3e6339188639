import { createHash } from 'node:crypto';
import { cp, readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createExampleRepos } from '../support/example-repos.ts';
import { startHub } from '../support/hub/index.ts';
import { createNix, describeNix, LIBRARY, type Nix, nixString, PKGS } from '../support/nix.ts';
import { type FileServer, serveFiles } from './file-server.ts';

const EXAMPLE = path.join(import.meta.dirname, '..', '..', 'examples', 'many-models');
const MODEL = 'models--nix-hug-examples--tiny-gguf';

// The commands are those of docs/binary-caches.md.
describeNix('a binary cache', (team) => {
  /** A folder that is carried from machine to machine. */
  let disk: string;
  let shared: ReadonlyMap<string, Buffer>;
  let unsigned: FileServer;
  let signed: FileServer;
  let publicKey: string;
  /** The store path of the Hugging Face cache, the same on every machine. */
  let cache: string;
  let storeDir: string;
  /** The expression of that cache; the hub that it names is closed after the first build. */
  let expression: string;

  const succeed = async (nix: Nix, command: string, ...args: readonly string[]) => {
    const { status, stdout, stderr } = await nix.run(command, ...args);
    expect(status, stderr).toBe(0);
    return stdout.trim();
  };
  /** Follows the links of the cache to a file, as programs do. */
  const weightsOn = async (nix: Nix) => {
    const rev = await succeed(nix, 'cat', path.join(cache, MODEL, 'refs/main'));
    return succeed(nix, 'cat', path.join(cache, MODEL, 'snapshots', rev, 'tiny-Q8_0.gguf'));
  };
  const copy = ['--extra-experimental-features', 'nix-command', 'copy'];

  // One machine downloads and fills the binary caches. Then the machine and the hub are gone.
  beforeAll(async () => {
    const first = await createNix();
    ({ storeDir } = first);
    const hub = await startHub();
    await createExampleRepos(hub);
    const library = `${LIBRARY} { pkgs = ${PKGS}; endpoint = ${nixString(hub.endpoint)}; }`;
    const file = nixString(path.join(EXAMPLE, 'default.nix'));
    expression = `(import ${file} { pkgs = ${PKGS}; nix-hug = ${library}; }).everything`;
    cache = await first.build(expression);
    await hub.close();

    const inFirst = (name: string) => path.join(first.folder, name);
    const share = (address: string) => succeed(first, 'nix', ...copy, '--to', address, cache);
    const [secret, open] = [inFirst('secret.key'), inFirst('public.key')];
    await succeed(first, 'nix-store', '--generate-binary-cache-key', 'team-1', secret, open);
    publicKey = (await readFile(open, 'utf8')).trim();
    await share(`file://${inFirst('unsigned')}?compression=none`);
    await share(`file://${inFirst('signed')}?secret-key=${secret}`);

    disk = path.join(team().folder, 'disk');
    await cp(inFirst('unsigned'), disk, { recursive: true });
    shared = await contentsOf(inFirst('unsigned'));
    unsigned = await serveFiles(shared);
    signed = await serveFiles(await contentsOf(inFirst('signed')));
    await first.close();
  });
  afterAll(() => Promise.all([unsigned.close(), signed.close()]));

  /** Runs a test on a machine with an empty store at the same path. */
  const onAnotherMachine = async (act: (nix: Nix) => Promise<void>) => {
    const nix = await createNix(undefined, storeDir);
    try {
      await act(nix);
    } finally {
      await succeed(nix, 'chmod', '-R', 'u+w', storeDir);
      await nix.close();
      await rm(path.dirname(storeDir), { recursive: true, force: true });
    }
  };

  it('gives files without a signature, since their paths say what they hold', () =>
    onAnotherMachine(async (nix) => {
      const once = ['--option', 'download-attempts', '1'];
      const build = ['--no-out-link', '--expr', expression, ...once];
      const without = await nix.run('nix-build', ...build);
      expect(without.status).not.toBe(0);
      const from = ['--option', 'substituters', unsigned.endpoint];
      expect(await succeed(nix, 'nix-build', ...build, ...from)).toBe(cache);
      expect(await weightsOn(nix)).toContain('GGUF');
    }));

  it.each([
    ['says that it is the content of the path', 'fixed:', 'ca hash mismatch'],
    ['says nothing about the content', undefined, 'not signed by any'],
  ])('cannot give other weights, when it %s', (_case, claim, complaint) =>
    onAnotherMachine(async (nix) => {
      const forged = await serveFiles(forge(shared, 'tiny-Q8_0.gguf', claim));
      const build = ['--no-out-link', '--expr', expression, '--option', 'download-attempts', '1'];
      const from = ['--option', 'substituters', forged.endpoint];
      const { status, stderr } = await nix.run('nix-build', ...build, ...from);
      await forged.close();
      expect(status).not.toBe(0);
      expect(stderr).toContain(complaint);
    }),
  );

  it('gives a whole cache only to a machine that trusts its key', () =>
    onAnotherMachine(async (nix) => {
      const from = ['nix', ...copy, '--from', signed.endpoint, cache] as const;
      const distrustful = await nix.run(...from);
      expect(distrustful.status).not.toBe(0);
      expect(distrustful.stderr).toContain('signature');
      await succeed(nix, ...from, '--option', 'trusted-public-keys', publicKey);
      await succeed(nix, 'nix-store', '--verify', '--check-contents');
      expect(await weightsOn(nix)).toContain('GGUF');
    }));

  it('gives a cache of another system, which this machine cannot build', async () => {
    const pkgs = `(${PKGS} // { bash = ${PKGS}.bash // { system = "aarch64-linux"; }; })`;
    const foreign = expression.replace(LIBRARY, `(args: ${LIBRARY} (args // { pkgs = ${pkgs}; }))`);
    const inTeam = (name: string) => path.join(team().folder, name);
    const build = ['--no-out-link', '--expr', foreign, '--option', 'download-attempts', '1'];
    const from = (...addresses: readonly string[]) => [
      '--option',
      'substituters',
      addresses.join(' '),
    ];
    let built = '';
    let ownKey = '';
    await onAnotherMachine(async (nix) => {
      const inNix = (name: string) => path.join(nix.folder, name);
      const key = ['team-2', inNix('secret'), inNix('public')];
      await succeed(nix, 'nix-store', '--generate-binary-cache-key', ...key);
      // Claims to be such a machine; the programs of this one run.
      const asForeign = ['--option', 'extra-platforms', 'aarch64-linux'];
      built = await succeed(nix, 'nix-build', ...build, ...asForeign, ...from(unsigned.endpoint));
      const address = `file://${inNix('foreign')}?secret-key=${inNix('secret')}`;
      await succeed(nix, 'nix', ...copy, '--to', address, built);
      ownKey = await readFile(inNix('public'), 'utf8');
      await cp(inNix('foreign'), inTeam('foreign'), { recursive: true });
    });
    const trusted = ['--option', 'trusted-public-keys', ownKey];
    await onAnotherMachine(async (nix) => {
      const refused = await nix.run('nix-build', ...build, ...from(unsigned.endpoint));
      expect(refused.stderr).toContain('aarch64-linux');
      const cached = await serveFiles(await contentsOf(inTeam('foreign')));
      const got = await succeed(nix, 'nix-build', ...build, ...trusted, ...from(cached.endpoint));
      await cached.close();
      expect(got).toBe(built);
      expect(got).not.toBe(cache);
    });
  });

  it('is copied from a folder when signatures are not checked', () =>
    onAnotherMachine(async (nix) => {
      const carried = path.join(nix.folder, 'disk');
      await cp(disk, carried, { recursive: true });
      const from = ['--from', `file://${carried}`, cache];
      const refused = await nix.run('nix', ...copy, ...from);
      expect(refused.status).not.toBe(0);
      await succeed(nix, 'nix', ...copy, '--no-check-sigs', ...from);
      expect(await weightsOn(nix)).toContain('GGUF');
    }));
});

/** All files below a folder, by their addresses. */
async function contentsOf(folder: string): Promise<Map<string, Buffer>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const contents = files.map(async ({ parentPath, name }) => {
    const file = path.join(parentPath, name);
    return [`/${path.relative(folder, file)}`, await readFile(file)] as const;
  });
  return new Map(await Promise.all(contents));
}

/** A cache with other bytes under the name of a file, and digests of them wherever it can. */
function forge(
  cache: ReadonlyMap<string, Buffer>,
  name: string,
  claim: string | undefined,
): Map<string, Buffer> {
  const [address, info] = [...cache].find(
    ([key, content]) =>
      // A folder that links to the file has its name, too, among the references.
      key.endsWith('.narinfo') && content.toString().split('\n', 1)[0]?.endsWith(`-${name}`),
  ) ?? ['', Buffer.of()];
  const text = info.toString();
  const archiveAddress = `/${/^URL: (?<url>.*)$/mu.exec(text)?.groups?.['url']}`;
  const archive = cache.get(archiveAddress)?.toString('latin1').replace('GGUF', 'EVIL') ?? '';
  const bytes = Buffer.from(archive, 'latin1');
  expect(archive).toContain('EVIL');
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  const forged = text
    .replace(/^(?<key>FileHash|NarHash): .*$/gmu, `$<key>: ${digest}`)
    .replace(/^CA: fixed:.*\n/mu, (line) => (claim === undefined ? '' : line));
  expect(text).toContain('CA: fixed:');
  return new Map([...cache, [address, Buffer.from(forged)], [archiveAddress, bytes]]);
}
