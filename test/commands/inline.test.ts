import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, realpath, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import table from '../fixtures/globs.json' with { type: 'json' };
import {
  type FileContent,
  type Hub,
  lfs,
  type Repository,
  startHub,
} from '../support/hub/index.ts';
import { injectAlways } from '../support/inject.ts';
import { createProject } from '../support/project.ts';
import { describeNix, LIBRARY, NIXPKGS, PKGS } from '../support/nix.ts';
import { type CliWorld, runCli } from '../support/run-cli.ts';

// `ls <url>` and `fetch <url>`: repositories that no manifest names.

const TOKEN = 'test-token-of-the-owner';

let hub: Hub;
let sha: string;

const run = (argv: readonly string[], world: Partial<CliWorld> = {}) =>
  runCli(argv, { cwd: '/', ...world, env: { HF_ENDPOINT: hub.endpoint, ...world.env } });

beforeAll(async () => {
  hub = await startHub();
  hub.addToken(TOKEN);
  const tiny = await hub.createRepo({ type: 'model', id: 'org/tiny', aliases: ['tiny'] });
  await tiny.commit({ files: { 'config.json': 'old' } });
  sha = await tiny.commit({
    files: {
      'config.json': '{}\n',
      'model.safetensors': lfs.generated({ size: 1_500, seed: 1 }),
      'tokenizer.model': lfs('tokens'),
      'unet/model.bin': lfs('weights'),
    },
  });
  await tiny.tag('v1', sha);
  const rows = await hub.createRepo({ type: 'dataset', id: 'org/rows' });
  await rows.commit({ files: { 'README.md': '# rows\n' } });
  for (const type of ['model', 'dataset'] as const) {
    const both = await hub.createRepo({ type, id: 'org/both' });
    await both.commit({ files: { 'README.md': type } });
  }
  const gated = await hub.createRepo({ type: 'model', id: 'org/gated', gated: 'auto' });
  await gated.commit({ files: { 'config.json': '{}', 'model.safetensors': lfs('secret') } });
  const hidden = await hub.createRepo({ type: 'model', id: 'org/hidden', private: true });
  await hidden.commit({ files: { 'config.json': '{}' } });
});
afterAll(() => hub.close());
beforeEach(() => hub.clearRequests());

/** Runs nix-hug in a project, with no `HF_ENDPOINT` unless there is one in the world. */
async function runInProject(manifest: string, argv: readonly string[], world?: Partial<CliWorld>) {
  const { run: runInFolder } = await createProject('', manifest);
  return runInFolder(argv, world);
}

describe.each([
  ['ls', []],
  ['fetch', ['--dry-run']],
])('%s in a project', (command, options) => {
  it.each(['hf:org/tiny', 'org/tiny', '/org/tiny/tree/v1'])(
    'asks the Hub that its manifest names: %s',
    async (form) => {
      const url = form.startsWith('/') ? `${hub.endpoint}${form}` : form;
      const argv = [command, url, ...options];
      const { status, stderr } = await runInProject(`endpoint: ${hub.endpoint}\n`, argv);
      expect([status, stderr]).toEqual([0, '']);
    },
  );

  it('asks that of HF_ENDPOINT first', async () => {
    const manifest = 'endpoint: http://127.0.0.1:9\n';
    const env = { HF_ENDPOINT: hub.endpoint };
    const { status } = await runInProject(manifest, [command, 'org/tiny', ...options], { env });
    expect(status).toBe(0);
  });

  it.each([
    ['cannot be parsed', [], 'EHUG_MANIFEST_INVALID: hug.yaml'],
    ['is named and not there', ['--manifest', 'no.yaml'], 'EHUG_MANIFEST_MISSING'],
  ])('asks nobody when its manifest %s', async (_, global, message) => {
    const argv = [...global, command, 'org/tiny', ...options];
    const env = { HF_ENDPOINT: hub.endpoint };
    const { status, stderr } = await runInProject('endpoint: 1\n', argv, { env });
    expect([status, stderr]).toEqual([2, expect.stringContaining(message)]);
    expect(hub.requests).toEqual([]);
  });
});

describe('ls', () => {
  it('shows path, size and LFS mark of each file, and the total', async () => {
    const { status, stdout } = await run(['ls', 'org/tiny']);
    expect(stdout).toBe(
      [
        `model org/tiny at ${sha}`,
        '   3 B       config.json',
        '1.5 kB  LFS  model.safetensors',
        '   6 B  LFS  tokenizer.model',
        '   7 B  LFS  unet/model.bin',
        '4 files, 1.52 kB',
        '',
      ].join('\n'),
    );
    expect(status).toBe(0);
    expect(hub.requests.every(({ url }) => url.startsWith('/api/'))).toBe(true);
  });

  it('prints the same facts as JSON', async () => {
    const { json } = await run(['ls', 'hf:tiny', '--file', 'config.json', '--json']);
    expect(json()).toEqual({
      repo: 'org/tiny',
      type: 'model',
      rev: sha,
      size: 3,
      files: [{ path: 'config.json', size: 3, lfs: false }],
    });
  });

  it.each([
    [
      ['--include', '*.safetensors'],
      ['config.json', 'model.safetensors'],
    ],
    [
      ['--include', '*.safetensors', '--include', '*.bin', '--exclude', 'unet/'],
      ['config.json', 'model.safetensors'],
    ],
    [['--exclude', '*'], ['config.json']],
    [
      ['--file', 'unet/model.bin', '--file', 'tokenizer.model'],
      ['unet/model.bin', 'tokenizer.model'],
    ],
  ])('selects by %j', async (options, names) => {
    const { json } = await run(['ls', 'org/tiny', ...options, '--json']);
    expect(json().files.map((file: { path: string }) => file.path)).toEqual(names);
  });

  it.each([
    ['org/tiny', [], 'model'],
    ['org/rows', [], 'dataset'],
    ['org/both', ['--model'], 'model'],
    ['org/both', ['--dataset'], 'dataset'],
    ['org/both', ['--repo-type', 'dataset'], 'dataset'],
    ['datasets/org/both', [], 'dataset'],
    ['https://huggingface.co/datasets/org/both', [], 'dataset'],
  ])('finds the type of %s %j', async (url, options, type) => {
    const { json } = await run(['ls', url, ...options, '--json']);
    expect(json().type).toBe(type);
  });

  it.each([
    ['org/tiny', ['--ref', 'v1']],
    ['org/tiny', ['--revision', 'v1']],
    ['https://huggingface.co/org/tiny/tree/v1', []],
    ['https://huggingface.co/org/tiny/tree/v1', ['--ref', 'v1']],
  ])('takes the revision of %s %j', async (url, options) => {
    expect((await run(['ls', url, ...options, '--json'])).json().rev).toBe(sha);
  });

  it('takes the file that an address names', async () => {
    const url = `${hub.endpoint}/org/tiny/blob/main/tokenizer.model`;
    expect((await run(['ls', url, '--json'])).json().files).toHaveLength(1);
  });

  it.each<[string, readonly string[], string]>([
    ['org/both', ['org/both'], 'EHUG_REPO_AMBIGUOUS: org/both is a model and a dataset'],
    ['hf:org/both', ['org/both', '--ref', 'v9'], 'EHUG_REPO_AMBIGUOUS'],
    ['org/none', ['org/none'], 'EHUG_REPO_NOT_FOUND: model org/none'],
    ['a missing revision', ['org/tiny', '--ref', 'v9'], 'EHUG_REVISION_NOT_FOUND'],
    ['two types', ['hf:org/tiny', '--dataset'], 'EHUG_USAGE: two values for the type'],
    ['two revisions', ['https://hf.co/org/tiny/tree/v1', '--ref', 'v2'], 'EHUG_USAGE: two values'],
    ['a bad revision', ['org/tiny', '--ref', 'a b'], 'EHUG_USAGE: --ref "a b" has a character'],
    ['files and globs', ['org/tiny', '--file', 'a', '--include', 'b'], 'EHUG_USAGE: exact files'],
    ['a negated glob', ['org/tiny', '--include', '!*.bin'], 'EHUG_USAGE: the pattern "!*.bin"'],
    ['an empty glob', ['org/tiny', '--exclude', ''], 'EHUG_USAGE: a pattern is empty'],
    ['an unsafe file', ['org/tiny', '--file', '../x'], 'EHUG_USAGE: --file "../x"'],
    ['a missing file', ['org/tiny', '--file', 'x'], 'EHUG_SELECTION: no such file'],
    ['a broken form', ['org/tiny/x'], 'EHUG_REPO_INVALID'],
    ['an unknown type', ['org/tiny', '--repo-type', 'space'], 'EHUG_USAGE'],
    ['no network', ['org/tiny', '--offline'], 'EHUG_OFFLINE'],
  ])('refuses %s', async (_, argv, message) => {
    const { status, stderr, stdout } = await run(['ls', ...argv]);
    expect(stderr).toContain(message);
    expect(stdout).toBe('');
    expect(status).toBeGreaterThan(0);
  });

  it.each([
    ['both', '/api/', {}, 'EHUG_FORBIDDEN: org/tiny may be a model or a dataset: the Hub forbids'],
    ['one', '/api/datasets/', {}, 'the Hub forbids dataset org/tiny'],
    ['both, as gated', '/api/', { 'X-Error-Code': 'GatedRepo' }, 'EHUG_GATED: org/tiny may be'],
  ])(
    'does not say what a bare id is when access is denied to %s',
    async (_, match, headers, message) => {
      injectAlways(hub, match, { kind: 'status', status: 403, headers });
      const { status, stderr } = await run(['ls', 'org/tiny']);
      expect(stderr).toContain(message);
      expect(stderr).toContain('hint: Write hf:org/tiny or hf-datasets:org/tiny. ');
      expect(status).toBe(1);
    },
  );

  it('takes a bare id as the type that is not missing, although access is denied', async () => {
    injectAlways(hub, '/api/datasets/', { kind: 'status', status: 403 });
    const { stderr } = await run(['ls', 'org/rows']);
    expect(stderr).toContain('EHUG_FORBIDDEN: the Hub forbids dataset org/rows: ');
  });

  it('escapes control characters in file names', async () => {
    const odd = await hub.createRepo({ type: 'model', id: 'org/odd' });
    await odd.commit({ files: { 'a\u202eb\u009bc.txt': '' } });
    expect((await run(['ls', 'org/odd'])).stdout).toContain(String.raw`0 B    a\u202eb\u009bc.txt`);
  });

  it('warns about a glob that matches nothing', async () => {
    const { status, stderr } = await run(['ls', 'org/tiny', '--exclude', '*.onnx']);
    expect(stderr).toContain('exclude "*.onnx" matches no LFS file');
    expect(status).toBe(0);
  });

  it('reports a server error, not an ambiguous type', async () => {
    const injection = hub.inject({
      match: '/api/datasets/org/tiny',
      times: Infinity,
      fault: { kind: 'status', status: 500 },
    });
    const { stderr } = await run(['ls', 'org/tiny']);
    injection.remove();
    expect(stderr).toContain('EHUG_HUB');
  });
});

describe('fetch --dry-run', () => {
  const fetchJson = async (...argv: readonly string[]) =>
    (await run(['fetch', ...argv, '--dry-run', '--json'])).json();

  it('shows the files, and an expression ready to paste', async () => {
    const body = await fetch(`${hub.endpoint}/api/models/org/tiny/tree/${sha}?recursive=true`);
    const digest = createHash('sha256')
      .update(await body.text())
      .digest('base64');
    hub.clearRequests();
    const { stdout, status } = await run(['fetch', 'hf:tiny', '--dry-run', '--include', '*.bin']);
    expect(stdout).toBe(
      [
        `model org/tiny at ${sha}`,
        '3 B       config.json',
        '7 B  LFS  unet/model.bin',
        '2 files, 10 B',
        '',
        `# nix-hug-lib imported with endpoint = "${hub.endpoint}"`,
        'nix-hug-lib.fetchModel {',
        '  url = "org/tiny";',
        `  rev = "${sha}";`,
        String.raw`  filters = { include = [ ".*\\.bin" ]; };`,
        `  fileTreeHash = "sha256-${digest}";`,
        '}',
        '',
      ].join('\n'),
    );
    expect(status).toBe(0);
    expect(hub.requests.every(({ url }) => url.startsWith('/api/'))).toBe(true);
  });

  it('says that a tree of several pages cannot be pinned, and what to do', async () => {
    hub.options.pageSize = 2;
    const { stdout } = await run(['fetch', 'datasets/org/rows', '--dry-run']);
    const { stdout: paged } = await run(['fetch', 'org/tiny', '--dry-run']);
    hub.options.pageSize = 1000;
    expect(stdout).toContain('fetchDataset {');
    expect(paged).toContain(
      'No fetchModel expression for model org/tiny: the Hub lists its files on several pages, and fileTreeHash pins one page.\nLock it instead: nix-hug add org/tiny',
    );
    expect(paged).toContain('4 files, ');
  });

  it('says the same of a full page, which may be the first of several for Nix', async () => {
    const many = await hub.createRepo({ type: 'dataset', id: 'org/many' });
    const files = Array.from({ length: 1_000 }, (_, index) => [`${index}`, ''] as const);
    await many.commit({ files });
    const { expression, obstacle } = await fetchJson('org/many');
    expect(expression).toBeNull();
    expect(obstacle).toContain('Lock it instead: nix-hug add datasets/org/many');
  });

  it.each(['org/gated', 'org/hidden'])('says why %s cannot be pinned', async (id) => {
    const { stdout } = await run(['fetch', id, '--dry-run'], { env: { HF_TOKEN: TOKEN } });
    expect(stdout).toContain('it is gated or private, and Nix lists files without your token');
    expect(stdout).toContain(`Lock it instead: nix-hug add ${id}`);
    const asked = hub.requests.filter(({ url }) => url.endsWith('?recursive=true'));
    expect(asked.map(({ authorization }) => authorization)).toEqual([undefined]);
  });

  it('refuses a gated repository without access', async () => {
    const { stderr, status } = await run(['fetch', 'org/gated', '--dry-run']);
    expect(stderr).toContain('EHUG_GATED');
    expect(status).toBe(1);
  });
});

describeNix('the printed expression', (nix) => {
  const withLibrary = (expression: string) =>
    `let nix-hug-lib = ${LIBRARY} { pkgs = ${PKGS}; endpoint = "${hub.endpoint}"; }; in ${expression}`;

  async function nixRun(...args: readonly string[]): Promise<string> {
    const [command = '', ...rest] = args;
    const { status, stdout, stderr } = await nix().run(command, ...rest);
    if (status !== 0) throw new Error(stderr);
    return stdout.trim();
  }

  const inspect = async (...argv: readonly string[]) => {
    const result = await run(['fetch', ...argv, '--dry-run', '--json']);
    if (result.status !== 0) throw new Error(result.stderr + result.stdout);
    return result.json() as { expression: string; files: { path: string }[] };
  };

  const pathsIn = (files: readonly { path: string }[]) => files.map((file) => file.path).toSorted();

  it('selects what ls shows, for a format, a variant and a quant', async () => {
    const repo = await hub.createRepo({ type: 'model', id: 'org/formats' });
    await repo.commit({
      files: {
        'README.md': 'text',
        'model.fp16.safetensors': lfs('16'),
        'model.safetensors': lfs('32'),
        'model.safetensors.index.json': '{}',
        'openvino_model.xml': 'plain weights',
        'm-Q4_K_M.gguf': lfs('4'),
        'm-Q8_0.gguf': lfs('8'),
        'tokenizer.model': lfs('tokens'),
      },
    });
    const [format, variant, quant] = await Promise.all([
      inspect('org/formats', '--format', 'safetensors'),
      inspect('org/formats', '--format', 'safetensors', '--variant', 'fp16'),
      inspect('org/formats:q8_0'),
    ]);
    expect(pathsIn(variant.files)).toEqual([
      'README.md',
      'model.fp16.safetensors',
      'tokenizer.model',
    ]);
    const kept = [format, variant, quant];
    const list = kept.map(({ expression }) => `(${expression})`).join(' ');
    const names = withLibrary(`map (m: builtins.attrNames m.files) [ ${list} ]`);
    const argv = ['--eval', '--strict', '--json', '--expr', names];
    expect(JSON.parse(await nixRun('nix-instantiate', ...argv))).toEqual(
      kept.map(({ files }) => pathsIn(files)),
    );
  });

  it('selects what ls shows, for every glob of the table', async () => {
    const cases = await Promise.all(
      table.map(async ({ glob, matched, unmatched }, index) => {
        const repo = await hub.createRepo({ type: 'model', id: `globs/case-${index}` });
        const files: [string, FileContent][] = [...matched, ...unmatched].map((name) => [
          name,
          lfs(name),
        ]);
        await repo.commit({ files: [['a plain file', 'plain'], ...files] });
        const [kept, left] = await Promise.all([
          inspect(`hf:${repo.id}`, '--include', glob),
          inspect(`hf:${repo.id}`, '--exclude', glob),
        ]);
        return { kept, left, matched, unmatched };
      }),
    );
    for (const { kept, left, matched, unmatched } of cases) {
      expect(pathsIn(kept.files)).toEqual(['a plain file', ...matched].toSorted());
      expect(pathsIn(left.files)).toEqual(['a plain file', ...unmatched].toSorted());
    }
    const expressions = cases.flatMap(({ kept, left }) => [kept.expression, left.expression]);
    const inNix: string[][] = JSON.parse(
      await nixRun(
        'nix-instantiate',
        '--eval',
        '--strict',
        '--json',
        '--expr',
        withLibrary(
          `map (m: builtins.attrNames m.files) [ ${expressions.map((text) => `(${text})`).join(' ')} ]`,
        ),
      ),
    );
    expect(inNix.map((names) => names.toSorted())).toEqual(
      cases.flatMap(({ kept, left }) => [pathsIn(kept.files), pathsIn(left.files)]),
    );
  });

  it('builds what ls shows, without a pointer file', async () => {
    const { expression, files } = await inspect('org/tiny', '--include', '*.safetensors');
    const built = await nixRun('nix-build', '--no-out-link', '--expr', withLibrary(expression));
    const names = await readdir(built, { recursive: true, withFileTypes: true });
    const found = names
      .filter((name) => !name.isDirectory())
      .map(({ parentPath, name }) => path.relative(built, path.join(parentPath, name)));
    expect(found.toSorted()).toEqual(pathsIn(files));
    for (const name of found) {
      expect(await readFile(path.join(built, name), 'utf8')).not.toContain('git-lfs');
    }
  });

  const stored = (env: Record<string, string> = {}) => ({
    ...nix().environment,
    XDG_CACHE_HOME: path.join(nix().folder, 'cache'),
    ...env,
  });
  const NIX_PATH = `nixpkgs=${NIXPKGS}`;

  it('is printed below the model that fetch builds, whose weights come with it', async () => {
    const gcRoot = path.join(nix().folder, 'roots');
    await mkdir(gcRoot);
    const argv = ['fetch', 'org/tiny', '--include', 'unet/', '--gc-root', gcRoot, '--json', '-v'];
    const result = await run(argv, { env: stored({ NIX_PATH }) });
    expect([result.status, result.stderr]).toEqual([0, expect.stringContaining('unet/model.bin')]);
    const { storePath, expression, obstacle, files } = result.json();
    expect([obstacle, pathsIn(files)]).toEqual([null, ['config.json', 'unet/model.bin']]);
    expect(await readFile(path.join(storePath, 'unet', 'model.bin'), 'utf8')).toBe('weights');
    expect(await realpath(path.join(gcRoot, 'models--org--tiny'))).toBe(storePath);
    hub.clearRequests();
    const again = await run(['fetch', 'org/tiny', '--include', 'unet/'], {
      env: stored({ NIX_PATH }),
    });
    expect(again.stdout).toBe(`${storePath}\n\n${expression}\n`);
    expect(hub.requests.filter(({ url }) => url.includes('/resolve/'))).toEqual([]);
    expect(await nixRun('nix-build', '--no-out-link', '--expr', withLibrary(expression))).toBe(
      storePath,
    );
  });

  it.each([
    ['built', false],
    ['unbuilt', 'auto'],
  ] as const)(
    'has a link for each %s repository in the folder of --gc-root',
    async (name, gated) => {
      const gcRoot = path.join(nix().folder, `of-${name}`);
      await mkdir(gcRoot);
      const fetchNewest = async (form: string, repo: Repository, content: string) => {
        await repo.commit({ files: { 'w.bin': lfs(content) } });
        const argv = ['fetch', form, '--gc-root', gcRoot];
        const { status } = await run(argv, { env: stored({ NIX_PATH, HF_TOKEN: TOKEN }) });
        expect(status).toBe(0);
      };
      const model = await hub.createRepo({ type: 'model', id: `org/${name}`, gated });
      const other = await hub.createRepo({ type: 'model', id: `other/${name}`, gated });
      const dataset = await hub.createRepo({ type: 'dataset', id: `org/${name}`, gated });
      await fetchNewest(`hf:org/${name}`, model, 'first');
      await fetchNewest(`hf:other/${name}`, other, 'of another owner');
      await fetchNewest(`hf-datasets:org/${name}`, dataset, 'of a dataset');
      await fetchNewest(`hf:org/${name}`, model, 'second');
      expect((await readdir(gcRoot)).toSorted()).toEqual([
        `datasets--org--${name}`,
        `models--org--${name}`,
        `models--other--${name}`,
      ]);
    },
  );

  it('makes no use of git-lfs of the user', async () => {
    const HOME = path.join(nix().folder, 'home-of-git-lfs');
    const [script, log] = [path.join(HOME, 'smudge'), path.join(HOME, 'log')];
    await mkdir(HOME);
    await writeFile(path.join(HOME, '.gitconfig'), `[filter "lfs"]\nsmudge = sh ${script}\n`);
    await writeFile(script, `echo \${GIT_LFS_SKIP_SMUDGE-unset} >> ${log}\ncat\n`);
    const repo = await hub.createRepo({ type: 'model', id: 'org/smudged' });
    const attributes = '*.bin filter=lfs\n';
    await repo.commit({ files: { '.gitattributes': attributes, 'w.bin': lfs('weights') } });
    const { status } = await run(['fetch', 'org/smudged'], { env: stored({ NIX_PATH, HOME }) });
    expect(status).toBe(0);
    // A newer Nix runs no filters.
    expect(await readFile(log, 'utf8').catch(() => '')).not.toContain('unset');
  });

  it.each(['restrict-eval', 'pure-eval'])('is built where the user set %s', async (setting) => {
    const NIX_CONFIG = `${nix().environment['NIX_CONFIG']}\n${setting} = true`;
    const env = stored({ NIX_PATH, NIX_CONFIG });
    const { status, stdout } = await run(['fetch', 'org/tiny'], { env });
    expect([status, stdout]).toEqual([0, expect.stringContaining(`${nix().storeDir}/`)]);
  });

  it('says what is missing where there is no nixpkgs; the weights are in the store', async () => {
    const gcRoot = path.join(nix().folder, 'weights');
    const argv = ['fetch', 'org/tiny', '--file', 'tokenizer.model', '--gc-root', gcRoot];
    const { stdout, status } = await run(argv, { env: stored({ NIX_PATH: '' }) });
    expect([status, stdout]).toEqual([0, expect.stringContaining('found no nixpkgs')]);
    expect(stdout).toContain('nix-hug-lib.fetchModel {');
    await nixRun('nix-store', '--gc');
    expect((await readdir(nix().storeDir)).some((name) => name.endsWith('-tokenizer.model'))).toBe(
      true,
    );
  });

  it('uses weights from the Hub that a manifest names', async () => {
    const repo = await hub.createRepo({ type: 'model', id: 'org/theirs' });
    await repo.commit({ files: { 'w.bin': lfs('their weights') } });
    const { status, stderr } = await runInProject(
      `endpoint: ${hub.endpoint}\n`,
      ['fetch', 'hf:org/theirs', '-v'],
      { env: stored({ NIX_PATH: '' }) },
    );
    expect([status, stderr]).toEqual([0, expect.stringContaining('w.bin')]);
  });

  it('is missing for a gated model, whose weights are downloaded with the token', async () => {
    const { stdout, status } = await run(['fetch', 'org/gated', '--include', '*'], {
      env: stored({ NIX_PATH, HF_TOKEN: TOKEN }),
    });
    expect([status, stdout]).toEqual([0, expect.stringContaining('Lock it instead')]);
    expect(
      (await readdir(nix().storeDir)).some((name) => name.endsWith('-model.safetensors')),
    ).toBe(true);
    const cdn = hub.requests.filter(({ origin }) => origin === 'cdn');
    expect(cdn.map(({ authorization }) => authorization)).toEqual([undefined]);
  });

  it('escapes names with special characters of Nix strings', async () => {
    const names = ['${x}', '$${x}', "''", '"', '$(id)', '`id`', "it's", 'ä ö', '%', '$'];
    const repo = await hub.createRepo({ type: 'dataset', id: 'globs/odd' });
    await repo.commit({ files: names.map((name) => [`${name}/w.bin`, lfs(name)] as const) });
    const chosen = names.map((name) => `${name}/w.bin`);
    const { expression } = await inspect(
      'globs/odd',
      ...chosen.flatMap((name) => ['--file', name]),
    );
    const built = await nixRun('nix-build', '--no-out-link', '--expr', withLibrary(expression));
    expect((await readdir(built)).toSorted()).toEqual(names.toSorted());
  });
});
