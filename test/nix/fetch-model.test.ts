import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type Fault, type Hub, lfs, type Repository, startHub } from '../support/hub/index.ts';
import { injectAlways } from '../support/inject.ts';
import { describeNix, LIBRARY, nixString, PKGS } from '../support/nix.ts';

const REPOSITORY = path.join(import.meta.dirname, '..', '..');

/** Names that a shell, an address, a store path or a Nix expression could stumble over. */
const ODD_NAMES = [
  'a b.txt',
  '100%.txt',
  '%2e%2e',
  'größe/ü.txt',
  '日本語.bin',
  '🤗',
  '.hidden/.x',
  '-dash',
  '$(touch x)',
  '${out}',
  '`id`',
  'say "hi"',
  "it's",
  'outPath',
  '__functor',
  'x.drv',
  'n'.repeat(255),
];

const ODD_FILES = Object.fromEntries(
  ODD_NAMES.flatMap((name, index) => [
    [`plain/${name}`, `content ${index}`],
    [`lfs/${name}`, lfs(`weights ${index}`)],
  ]),
);

const POINTER = 'https://git-lfs.github.com/spec/v1';

let hub: Hub;
let tiny: Repository;
let rev: string;
let oddRev: string;

beforeAll(async () => {
  hub = await startHub();
  tiny = await hub.createRepo({ type: 'model', id: 'org/tiny', aliases: ['tiny'] });
  await tiny.commit({ files: { 'old.txt': 'old' } });
  rev = await tiny.commit({
    files: {
      'old.txt': null,
      'config.json': '{}\n',
      'unet/config.json': '{"unet":1}\n',
      'tokenizer.model': lfs('tokens'),
      'model.safetensors': lfs('weights'),
      'unet/model.safetensors': lfs('more weights'),
      'onnx/model.onnx': lfs('graph'),
    },
  });
  const odd = await hub.createRepo({ type: 'dataset', id: 'org/odd' });
  oddRev = await odd.commit({ files: ODD_FILES });
});
afterAll(() => hub.close());
beforeEach(() => hub.clearRequests());

/** The SRI hash of the body that Nix fetches. */
async function treeHash(repo: string, commit: string): Promise<string> {
  const answer = await fetch(`${hub.endpoint}/api/${repo}/tree/${commit}?recursive=true`);
  return sriOf(Buffer.from(await answer.arrayBuffer()));
}

const sriOf = (body: Uint8Array) => `sha256-${createHash('sha256').update(body).digest('base64')}`;

/** Path → content of every file below a folder of links. */
async function contentsOf(folder: string): Promise<Record<string, string>> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = names.filter((name) => !name.isDirectory());
  return Object.fromEntries(
    await Promise.all(
      files.map(async ({ parentPath, name }) => {
        const file = path.join(parentPath, name);
        return [path.relative(folder, file), await readFile(file, 'utf8')] as const;
      }),
    ),
  );
}

/** Makes a commit of one symbolic link, which no commit of the loopback hub has. */
async function commitLink(repo: Repository, name: string, target: string) {
  const git = async (input: string, ...args: readonly string[]) => {
    const running = promisify(execFile)('git', ['--git-dir', repo.gitDir, ...args]);
    // A git that does not read its input closes it.
    running.child.stdin?.on('error', () => {}).end(input);
    return (await running).stdout.trim();
  };
  const oid = await git(target, 'hash-object', '-w', '--stdin');
  const tree = await git(`120000 blob ${oid}\t${name}\n`, 'mktree');
  const identity = ['-c', 'user.name=Test', '-c', 'user.email=test@example.invalid'];
  const commit = await git('', ...identity, 'commit-tree', '-m', 'Link', tree);
  await git('', 'update-ref', 'refs/heads/main', commit);
  return { commit, oid };
}

describeNix('fetchModel', (nix) => {
  const library = () => `(${LIBRARY} { pkgs = ${PKGS}; endpoint = "${hub.endpoint}"; })`;
  const model = async (more = '', url = 'org/tiny') =>
    `(${library()}.fetchModel { url = ${nixString(url)}; rev = "${rev}"; fileTreeHash = "${await treeHash('models/org/tiny', rev)}"; ${more} })`;

  async function build(expression: string): Promise<string> {
    const { status, stdout, stderr } = await nix().run(
      'nix-build',
      '--no-out-link',
      '--expr',
      expression,
    );
    if (status !== 0) throw new Error(stderr);
    return stdout.trim();
  }

  /** Builds, and returns what the folder holds. */
  const built = async (expression: string) => contentsOf(await build(expression));

  async function evaluated(expression: string): Promise<unknown> {
    const { status, stdout, stderr } = await nix().run(
      'nix-instantiate',
      ...'--eval --strict --json --expr'.split(' '),
      expression,
    );
    if (status !== 0) throw new Error(stderr);
    return JSON.parse(stdout);
  }

  /** What our own error says, without Nix's trace around it. */
  async function errorOf(expression: string): Promise<string> {
    const run = await nix().run(
      'nix-instantiate',
      ...'--eval --strict --expr'.split(' '),
      `(${expression}).drvPath`,
    );
    return (
      /error: (?<said>nix-hug: .*)/u.exec(run.stderr)?.groups?.['said'] ??
      `no error of ours: ${run.stderr}`
    );
  }

  it('has all files, byte for byte', async () => {
    expect(await built(await model())).toEqual({
      'config.json': '{}\n',
      'unet/config.json': '{"unet":1}\n',
      'tokenizer.model': 'tokens',
      'model.safetensors': 'weights',
      'unet/model.safetensors': 'more weights',
      'onnx/model.onnx': 'graph',
    });
  });

  it.each([
    ['include = [ ".*\\\\.safetensors" ];', ['model.safetensors', 'unet/model.safetensors']],
    ['include = [ "model.*" ]; exclude = [ ".*s" ];', []],
    ['exclude = [ "(unet|onnx)/.*" ];', ['model.safetensors', 'tokenizer.model']],
    ['include = [ "safetensors" ];', []],
  ])('chooses among LFS files by { %s }', async (filters, weights) => {
    const files = await built(await model(`filters = { ${filters} };`));
    expect(Object.keys(files).toSorted()).toEqual(
      ['config.json', 'unet/config.json', ...weights].toSorted(),
    );
    expect(JSON.stringify(files)).not.toContain(POINTER);
  });

  it('takes exact paths of any kind', async () => {
    const files = await built(
      await model('filters = { files = [ "tokenizer.model" "config.json" ]; };'),
    );
    expect(files).toEqual({ 'config.json': '{}\n', 'tokenizer.model': 'tokens' });
  });

  it('fetches neither the commit nor other LFS files when filters select one LFS file', async () => {
    hub.clearRequests();
    const other = await tiny.commit({ files: { 'new.safetensors': lfs('new weights') } });
    const hash = await treeHash('models/org/tiny', other);
    hub.clearRequests();
    await built(`${library()}.fetchModel { url = "org/tiny"; rev = "${other}"; fileTreeHash = "${hash}";
      filters = { files = [ "new.safetensors" ]; }; }`);
    const asked = hub.requests.map(({ url }) => url.split('?')[0]?.replace(other, 'REV'));
    expect(asked.slice(0, 2)).toEqual([
      '/api/models/org/tiny/tree/REV',
      '/org/tiny/resolve/REV/new.safetensors',
    ]);
    expect(hub.requests.filter(({ origin }) => origin === 'hub')).toHaveLength(2);
  });

  it('makes no request when it is evaluated again', async () => {
    await built(await model());
    const expression = await model();
    hub.clearRequests();
    await built(expression);
    expect(hub.requests).toEqual([]);
  });

  it('refers to nothing but its files', async () => {
    const { stdout } = await nix().run('nix-build', '--no-out-link', '--expr', await model());
    const { stdout: closure } = await nix().run(
      'nix-store',
      '--query',
      '--requisites',
      stdout.trim(),
    );
    const names = closure
      .trim()
      .split('\n')
      .map((item) => path.basename(item).slice(33));
    expect(names.toSorted()).toEqual([
      'config.json',
      'config.json',
      'model.onnx',
      'model.safetensors',
      'model.safetensors',
      'tiny',
      'tokenizer.model',
    ]);
  });

  it('has the attributes of a locked model', async () => {
    const expression = `let m = ${await model('', 'https://huggingface.co/org/tiny')}; in {
      inherit (m) repo org name rev revision ref license purl;
      sizes = [ m.size m.weightSize ];
      type = [ m.type m.passthru.type ];
      files = builtins.attrNames m.files;
    }`;
    expect(await evaluated(expression)).toEqual({
      repo: 'org/tiny',
      org: 'org',
      name: 'tiny',
      rev,
      revision: rev,
      ref: rev,
      license: [],
      purl: `pkg:huggingface/org/tiny@${rev}?repository_url=${hub.endpoint.replaceAll('/', '%2F')}`,
      sizes: [3 + 11 + 6 + 24, 7 + 12 + 5],
      type: ['derivation', 'model'],
      files: [
        'config.json',
        'model.safetensors',
        'onnx/model.onnx',
        'tokenizer.model',
        'unet/config.json',
        'unet/model.safetensors',
      ],
    });
  });

  it('is evaluated purely, in a flake', async () => {
    const flake = path.join(nix().folder, 'flake');
    await mkdir(flake);
    await cp(path.join(REPOSITORY, 'nix'), path.join(flake, 'nix'), { recursive: true });
    await cp(path.join(REPOSITORY, 'test/support/nixpkgs-stand-in'), path.join(flake, 'pkgs'), {
      recursive: true,
    });
    const hash = await treeHash('models/org/tiny', rev);
    await writeFile(
      path.join(flake, 'flake.nix'),
      `{ outputs = _: { tiny = (import ./nix {
          pkgs = import ./pkgs { system = "x86_64-linux"; };
          endpoint = "${hub.endpoint}";
        }).fetchModel { url = "org/tiny"; rev = "${rev}"; fileTreeHash = "${hash}"; }; }; }`,
    );
    const { stdout, stderr } = await nix().run(
      'nix',
      ...'--extra-experimental-features nix-command --extra-experimental-features flakes eval --raw'.split(
        ' ',
      ),
      `path:${flake}#tiny.outPath`,
    );
    expect(stdout, stderr).toMatch(/-tiny$/u);
  });

  it('names an endpoint that is not the address of a Hub', async () => {
    const expression = (await model()).replace(`"${hub.endpoint}"`, '"huggingface.co"');
    expect(await errorOf(expression)).toMatch(/^nix-hug: endpoint is not the address of a Hub: /u);
  });

  it('downloads from the canonical repository when url is another id of it', async () => {
    const files = await built(
      await model('filters = { files = [ "config.json" "model.safetensors" ]; };', 'tiny'),
    );
    expect(Object.keys(files)).toEqual(['config.json', 'model.safetensors']);
  });

  it('gives files the store paths that a lock gives them', async () => {
    const expression = `let m = ${await model()}; in map (path: toString m.files.\${path}) [ "config.json" "model.safetensors" ]`;
    const flat = (name: string, hash: string) =>
      `(derivation { name = "${name}"; system = "builtin"; builder = "builtin:fetchurl"; outputHash = "${hash}"; outputHashMode = "flat"; }).outPath`;
    expect(await evaluated(expression)).toEqual(
      await evaluated(
        `[ ${flat('config.json', sriOf(Buffer.from('{}\n')))} ${flat('model.safetensors', sriOf(Buffer.from('weights')))} ]`,
      ),
    );
  });

  it('is in a cache together with others', async () => {
    const cache = `${library()}.buildCache {
      models = [ ${await model('filters = { files = [ "config.json" ]; };')} ${await model()} ];
      datasets = [ ${await dataset()} ];
    }`;
    const folder = path.join(await build(cache), 'models--org--tiny');
    expect(await readFile(path.join(folder, 'refs/main'), 'utf8')).toBe(rev);
    expect(Object.keys(await contentsOf(path.join(folder, 'snapshots', rev, '.')))).toHaveLength(6);
    const tree = JSON.parse(await readFile(path.join(folder, `trees/${rev}.json`), 'utf8'));
    const oid = createHash('sha1').update('blob 3\0{}\n').digest('hex');
    expect(tree.files['config.json']).toEqual({ size: 3, blob_id: oid });
    expect(tree.files['model.safetensors']).toMatchObject({
      lfs_sha256: createHash('sha256').update('weights').digest('hex'),
      lfs_size: 7,
    });
    expect(Object.keys(tree.files)).toHaveLength(6);
  });

  it('is marked as lacking files only where nothing is filtered out', async () => {
    for (const [more, names] of [
      ['', ['refs', '.no_exist']],
      ['filters = { files = [ "config.json" ]; };', ['refs']],
    ] as const) {
      const cache = `${library()}.buildCache { models = [ ${await model(more)} ]; }`;
      const folder = await readdir(path.join(await build(cache), 'models--org--tiny'));
      expect(folder.filter((name) => ['refs', '.no_exist'].includes(name)).toSorted()).toEqual(
        names.toSorted(),
      );
    }
  });

  const dataset = async (more = '') =>
    `(${library()}.fetchDataset { url = "datasets/org/odd"; rev = "${oddRev}"; fileTreeHash = "${await treeHash('datasets/org/odd', oddRev)}"; ${more} })`;

  it('takes every name that is safe, of plain and of LFS files', async () => {
    const files = await built(await dataset());
    expect(files).toEqual(
      Object.fromEntries(
        ODD_NAMES.flatMap((name, index) => [
          [`plain/${name}`, `content ${index}`],
          [`lfs/${name}`, `weights ${index}`],
        ]),
      ),
    );
  });

  it.each([
    ['filters = [ ];', 'filters is not an attribute set'],
    ['filters = { includes = [ "x" ]; };', 'filters has the unknown key "includes"'],
    ['filters = { include = ".*"; };', 'filters.include is not a list of strings'],
    ['filters = { include = [ ]; };', 'filters.include is not a list of strings, or is empty'],
    ['filters = { exclude = [ 1 ]; };', 'filters.exclude is not a list of strings'],
    ['filters = { files = [ "a" ]; include = [ "a" ]; };', 'filters.files excludes include'],
    ['filters = { files = [ "Config.json" ]; };', 'no such file at this commit: "Config.json"'],
    ['filters = { files = [ "../x" ]; };', 'not a path inside a repository: "../x"'],
    ['filters = { files = [ "/etc/passwd" ]; };', 'not a path inside a repository: "/etc/passwd"'],
  ])('refuses %s', async (filters, message) => {
    const error = await errorOf(await model(filters));
    expect(error).toContain('fetchModel org/tiny: ');
    expect(error).toContain(message);
    expect(error).toContain('; ');
  });

  it.each([
    ['hf-datasets:org/tiny', `rev = "${'a'.repeat(40)}";`, 'it is a dataset; use fetchDataset'],
    [
      'org/tiny',
      'rev = "main";',
      'rev is not a commit of 40 hex digits; run `nix-hug fetch org/tiny',
    ],
    ['org/tiny', 'rev = "$(touch x)";', 'rev is not a commit'],
    [
      'hf:org/tiny',
      `rev = "${'a'.repeat(40)}"; fileTreeHash = "";`,
      'fileTreeHash is not a SHA-256',
    ],
    [
      'https://huggingface.co/org/tiny/tree/v1',
      `rev = "${'a'.repeat(40)}";`,
      'url has the revision "v1", and rev another one',
    ],
    [
      `https://hf.co/org/tiny/blob/${'a'.repeat(40)}/x`,
      `rev = "${'a'.repeat(40)}";`,
      'url names a file; use filters.files',
    ],
    ['org/tiny/x', 'rev = "";', '"org/tiny/x" is not a repository'],
  ])('refuses the url %s with %s', async (url, more, message) => {
    const hash = more.includes('fileTreeHash') ? '' : 'fileTreeHash = "x";';
    const call = `${library()}.fetchModel { url = ${nixString(url)}; ${more} ${hash} }`;
    expect(await errorOf(call)).toContain(message);
    expect(hub.requests).toEqual([]);
  });

  let hostile = 0;
  /** A model of which the Hub tells what a function makes of its tree. */
  async function modelOfTree(change: (entries: any[]) => unknown): Promise<string> {
    // Nix keeps answers for an hour, so that each has to have an address of its own.
    const id = `org/hostile-${(hostile += 1)}`;
    const repo = await hub.createRepo({ type: 'model', id });
    const commit = await repo.commit({
      files: { 'a.json': '{}', 'config.json': '{}', 'model.bin': lfs('x') },
    });
    return withAnswer(id, commit, { kind: 'json', body: change });
  }

  /** A model of which the Hub gives this answer about its tree, with a hash that agrees. */
  async function withAnswer(id: string, commit: string, fault: Fault): Promise<string> {
    injectAlways(hub, `/api/models/${id}/tree/`, fault);
    const hash = await treeHash(`models/${id}`, commit);
    return `${library()}.fetchModel { url = "${id}"; rev = "${commit}"; fileTreeHash = "${hash}"; }`;
  }

  const plain = { type: 'file', oid: 'a'.repeat(40), size: 3 };
  const weights = { ...plain, lfs: { oid: 'b'.repeat(64), size: 3, pointerSize: 127 } };

  it.each<[string, (entries: any[]) => unknown]>([
    ['"../x" is not a path', (all) => [...all, { ...plain, path: '../x' }]],
    ['"/etc/passwd" is not a path', (all) => [...all, { ...weights, path: '/etc/passwd' }]],
    [String.raw`"a\nb" is not a path`, (all) => [...all, { ...weights, path: 'a\nb' }]],
    [String.raw`"a\\b" is not a path`, (all) => [...all, { ...weights, path: String.raw`a\b` }]],
    ['"C:/x" is not a path', (all) => [...all, { ...weights, path: 'C:/x' }]],
    ['null is not a path', (all) => [...all, weights]],
    ['lies below a path that is a file', (all) => [...all, { ...weights, path: 'config.json/x' }]],
    ['names a path twice', (all) => [...all, ...all]],
    ['"x" has no git id', (all) => [...all, { ...plain, path: 'x', oid: 'b'.repeat(64) }]],
    ['"x" has no size', (all) => [...all, { ...plain, path: 'x', size: -1 }]],
    ['"x" has two sizes', (all) => [...all, { ...weights, path: 'x', size: 4 }]],
    ['"x" has no SHA-256', (all) => [...all, { ...plain, path: 'x', lfs: { oid: 'x', size: 3 } }]],
    ['is not a list of files', () => ({ error: 'no' })],
    [
      'list does not name "config.json" of the commit',
      (all) => all.filter(({ path: name }) => name !== 'config.json'),
    ],
    ['git does not give "x.txt"', (all) => [...all, { ...plain, path: 'x.txt' }]],
    [
      'has 1000 entries or more',
      () => Array.from({ length: 1_000 }, (_, i) => ({ ...plain, path: `${i}` })),
    ],
  ])('refuses a tree because it %s', async (message, change) => {
    const error = await errorOf(await modelOfTree(change));
    expect(error).toMatch(/fetchModel org\/hostile-\d+: /u);
    expect(error).toContain(message);
  });

  it('says that a tree of several pages needs a lock', async () => {
    const error = await errorOf(
      await modelOfTree(() =>
        Array.from({ length: 1_000 }, (_, i) => ({ ...plain, path: `${i}` })),
      ),
    );
    expect(error).toContain(
      'several pages, and fileTreeHash pins one page; lock it with `nix-hug add`',
    );
  });

  it('explains why a gated repository has no digests', async () => {
    const gated = await hub.createRepo({ type: 'model', id: 'org/gated', gated: 'auto' });
    const commit = await gated.commit({ files: { 'model.safetensors': lfs('secret') } });
    const hash = await treeHash('models/org/gated', commit);
    const call = `${library()}.fetchModel { url = "org/gated"; rev = "${commit}"; fileTreeHash = "${hash}"; }`;
    expect(await errorOf(call)).toContain(
      'fetchModel org/gated: it is gated: the Hub masks the digest of "model.safetensors", since Nix asks without a token; lock it with `nix-hug add`',
    );
  });

  it.each([
    ['config.txt text eol=crlf', 'config.txt'],
    ['config.txt export-subst', 'config.txt'],
  ])('never has a file that git changed by %s', async (attributes, name) => {
    const id = `org/changed-${(hostile += 1)}`;
    const repo = await hub.createRepo({ type: 'model', id });
    const content = '$Format:%H$\n';
    const commit = await repo.commit({ files: { '.gitattributes': attributes, [name]: content } });
    const hash = await treeHash(`models/${id}`, commit);
    const { status, stdout, stderr } = await nix().run(
      'nix-build',
      '--no-out-link',
      '--expr',
      `${library()}.fetchModel { url = "${id}"; rev = "${commit}"; fileTreeHash = "${hash}"; }`,
    );
    // Newer versions of Nix leave files alone.
    if (status === 0) expect((await contentsOf(stdout.trim()))[name]).toBe(content);
    else expect(stderr).toContain('nix-hug: git changes config.txt on its way out');
  });

  it('says that git leaves a file out', async () => {
    const repo = await hub.createRepo({ type: 'model', id: 'org/ignored' });
    const files = { '.gitattributes': 'a.txt export-ignore', 'a.txt': 'a' };
    const commit = await repo.commit({ files });
    const hash = await treeHash('models/org/ignored', commit);
    const call = `${library()}.fetchModel { url = "org/ignored"; rev = "${commit}"; fileTreeHash = "${hash}"; }`;
    expect(await errorOf(call)).toContain(
      'fetchModel org/ignored: git does not give "a.txt"; .gitattributes can cause this; lock it with `nix-hug add`',
    );
  });

  it('follows no symbolic link of a commit', async () => {
    const linked = await hub.createRepo({ type: 'model', id: 'org/linked' });
    const { commit, oid } = await commitLink(linked, 'config.json', '/etc/passwd');
    const body = JSON.stringify([{ ...plain, oid, path: 'config.json' }]);
    const call = await withAnswer('org/linked', commit, { kind: 'status', status: 200, body });
    expect(await errorOf(call)).toContain('"config.json" is not a regular file of the commit');
  });
});
