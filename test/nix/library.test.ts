import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { formatLock } from '../../src/lock/codec.ts';
import { lockOf } from '../support/locks.ts';
import { describeNix, LIBRARY, nixString, PKGS } from '../support/nix.ts';
import { type FileServer, serveFiles } from './file-server.ts';
import { makeRepository } from './repository.ts';

const model = await makeRepository({ lfs: { 'a.safetensors': 'weights', 'b.gguf': 'more' } });

describeNix('the library', (nix) => {
  let server: FileServer;
  let lock: string;
  beforeAll(async () => {
    server = await serveFiles(model.addresses);
    lock = path.join(nix().folder, 'hug.lock.json');
    await writeFile(lock, formatLock(lockOf({ m: model.entry })));
  });
  afterAll(() => server.close());

  const library = () => `(${LIBRARY} { pkgs = ${PKGS}; endpoint = "${server.endpoint}"; })`;
  const files = () => `(${library()}.importLock ${nixString(lock)}).models.m.files`;

  it('links files at the paths of a program with a layout of its own', async () => {
    const tree = `${library()}.linkTree {
      "models/checkpoints/a b.safetensors" = ${files()}."a.safetensors";
      "models/llm/b.gguf" = ${files()}."b.gguf";
    }`;
    const built = await nix().build(tree);
    const read = (name: string) => readFile(path.join(built, name), 'utf8');
    expect(await read('models/checkpoints/a b.safetensors')).toBe('weights');
    expect(await read('models/llm/b.gguf')).toBe('more');
  });

  it.each([
    ['{ "../a" = ./a; }', '"../a" is not a path inside the folder'],
    ['{ "/etc/a" = ./a; }', '"/etc/a" is not a path inside the folder'],
    ['{ a = ./a; "a/b" = ./a; }', '"a/b" lies below a path that is a file'],
  ])('links no file at the paths of %s', async (tree, message) => {
    const error = await nix().evaluationError(`(${library()}.linkTree ${tree}).outPath`);
    expect(error).toContain(`nix-hug: linkTree: ${message}`);
  });

  it('takes other arguments by override', async () => {
    const url = (changes: string) =>
      nix().evaluate(
        `((${library()}.override ${changes}).importLock ${nixString(lock)}).models.m.files."b.gguf".url`,
      );
    const address = `/org/name/resolve/${model.entry.rev}/b.gguf`;
    expect(await url('{ endpoint = "https://mirror.example"; }')).toBe(
      `https://mirror.example${address}`,
    );
    expect(await url('{ }')).toBe(`${server.endpoint}${address}`);
  });

  it.each(['repoInfoHash', 'derivationHash', 'hash'])(
    'says which command replaces %s of the shell version',
    async (name) => {
      const call = `${library()}.fetchModel { url = "org/name"; ${name} = "sha256-x"; }`;
      expect(await nix().evaluationError(`(${call}).outPath`)).toContain(
        `nix-hug: fetchModel org/name: ${name} is an argument of the shell version; ` +
          'run `nix-hug fetch org/name --dry-run` for the call of this one',
      );
    },
  );

  it("has LFS files at the store paths of nixpkgs' fetchurl, as the shell version had them", async () => {
    const hash = createHash('sha256').update('more').digest('hex');
    const fetched = `(derivation {
      name = "b.gguf";
      outputHashMode = "flat";
      outputHashAlgo = "sha256";
      outputHash = "${hash}";
      system = "any";
      builder = "/any";
    }).outPath`;
    expect(await nix().evaluate(`${files()}."b.gguf".outPath == ${fetched}`)).toBe(true);
  });

  it('says to remove the hash that buildCache took in the shell version', async () => {
    const call = `${library()}.buildCache { models = [ ]; hash = "sha256-x"; }`;
    expect(await nix().evaluationError(`(${call}).outPath`)).toContain(
      'nix-hug: buildCache: hash is an argument of the shell version; remove it',
    );
  });

  it('refuses an argument of fetchModel that it does not know', async () => {
    const call = `${library()}.fetchModel { url = "org/name"; filter = null; }`;
    expect(await nix().evaluationError(`(${call}).outPath`)).toContain(
      'unknown argument filter; it takes url, rev, fileTreeHash and filters',
    );
  });

  it('lets Nix take a file from a hashed mirror when its address is dead', async () => {
    const content = Buffer.from('from the mirror');
    const hex = createHash('sha256').update(content).digest('hex');
    const mirror = await serveFiles(new Map([[`/sha256/${hex}`, content]]));
    onTestFinished(() => mirror.close());
    const dead = await makeRepository({ repo: 'org/dead', lfs: { 'w.bin': 'from the mirror' } });
    const file = path.join(nix().folder, 'dead.lock.json');
    await writeFile(file, formatLock(lockOf({ m: dead.entry })));
    const expression = `(${library()}.importLock ${nixString(file)}).models.m.files."w.bin"`;
    const options = { 'hashed-mirrors': `${mirror.endpoint}/`, 'download-attempts': '1' };
    const flags = Object.entries(options).flatMap(([name, text]) => ['--option', name, text]);
    const build = ['--no-out-link', '--expr', expression, ...flags];
    const { status, stdout, stderr } = await nix().run('nix-build', ...build);
    expect(status, stderr).toBe(0);
    expect(await readFile(stdout.trim(), 'utf8')).toBe('from the mirror');
    expect(mirror.requests).toEqual([`/sha256/${hex}`]);
  });
});
