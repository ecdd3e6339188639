import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { type Hub, lfs, startHub } from './support/hub/index.ts';
import { describeNix, LIBRARY, nixString, PKGS } from './support/nix.ts';
import { callPython, describeClients } from './support/python.ts';
import { runCli } from './support/run-cli.ts';
import { tempFolder } from './support/temp.ts';

const TOKEN = 'test-token-of-the-owner';

/** Names that break shells, URLs, store paths or JSON, each with a content of its own. */
const NAMES = [
  '.gitattributes',
  '.hidden/.also hidden',
  'config.json',
  'a b.txt',
  'a+b=c.txt',
  'a#b?c.txt',
  '100%.txt',
  '100%25.txt',
  'größe/Übung ß.txt',
  '日本語/模型.txt',
  'deep/er/and/deeper/file.txt',
  `${'x'.repeat(196)}.txt`,
  `long/${'y'.repeat(205)}.txt`,
  '$(touch injected)`touch injected`.txt',
  `quotes'"and;semicolons&.txt`,
  '-rf',
  '~.txt',
  'name.drv',
  'constructor',
  '__proto__',
];
const CONTENTS = new Map<string, Buffer>([
  ...NAMES.map((name, index) => [name, Buffer.from(`${index} ${name}\n`)] as const),
  ['empty.txt', Buffer.alloc(0)],
  ['empty.bin', Buffer.alloc(0)],
  ['weights/größe 1+1.safetensors', Buffer.from('weights')],
]);
const LFS = new Set(['empty.bin', 'weights/größe 1+1.safetensors']);

const MANIFEST = `
models:
  odd: { repo: org/odd.Names_1 }
  tagged: { repo: org/odd.Names_1, version: ^1, exclude: ["weights/"] }
  pull: { repo: org/odd.Names_1, ref: refs/pr/7, files: ["a b.txt"] }
  alias: odd
`;

describeNix('from a manifest to an offline model', (nix) => {
  let hub: Hub;
  let rev: string;
  let cache: string;
  const shown: string[] = [];

  beforeAll(async () => {
    hub = await startHub();
    hub.addToken(TOKEN);
    const id = 'org/odd.Names_1';
    const repo = await hub.createRepo({ type: 'model', id, aliases: ['odd'] });
    rev = await repo.commit({
      files: [...CONTENTS].map(([name, content]) => [name, LFS.has(name) ? lfs(content) : content]),
    });
    await repo.tag('v1.0.0', rev);
    await repo.pullRequest(7, rev);

    const project = path.join(nix().folder, 'a project');
    await mkdir(project);
    await writeFile(path.join(project, 'hug.yaml'), MANIFEST);
    const env = { HF_ENDPOINT: hub.endpoint, HF_TOKEN: TOKEN };
    const locked = await runCli(['lock', '--debug'], { cwd: project, env });
    expect([locked.status, locked.stderr]).toEqual([0, expect.stringContaining('23 of 23 files')]);
    const lock = path.join(project, 'hug.lock.json');
    shown.push(locked.stdout, locked.stderr, await readFile(lock, 'utf8'));
    cache = await nix().build(
      `((${LIBRARY} { pkgs = ${PKGS}; endpoint = ${nixString(hub.endpoint)}; })
        .importLock (/. + ${nixString(lock)})).cache`,
    );
    await hub.close();
  });

  it('shows no token, sends none to the CDN and leaves none in the store', async () => {
    const cdn = hub.requests.filter(({ origin }) => origin === 'cdn');
    expect(cdn.length).toBeGreaterThan(0);
    expect(cdn.filter(({ authorization }) => authorization !== undefined)).toEqual([]);
    expect(shown.join('\n')).not.toContain(TOKEN);
    const store = await readdir(nix().storeDir, { recursive: true, withFileTypes: true });
    for (const file of store.filter((entry) => entry.isFile())) {
      const text = await readFile(path.join(file.parentPath, file.name), 'utf8');
      expect(text.includes(TOKEN), file.name).toBe(false);
    }
  });

  it('runs nothing that a file name says', async () => {
    const everything = await readdir(nix().folder, { recursive: true });
    expect(everything.filter((name) => path.basename(name) === 'injected')).toEqual([]);
  });

  describeClients((client) => {
    const offline = async (calls: Parameters<typeof callPython>[2]) =>
      callPython(
        client,
        {
          home: await tempFolder(),
          endpoint: hub.endpoint,
          env: { HF_HUB_CACHE: cache, HF_HUB_OFFLINE: '1' },
        },
        calls,
      );

    it.each([
      ['its branch', 'org/odd.Names_1', 'main'],
      ['its tag', 'org/odd.Names_1', 'v1.0.0'],
      ['its pull request', 'org/odd.Names_1', 'refs/pr/7'],
      ['its former id', 'odd', 'main'],
      ['its commit', 'org/odd.Names_1', undefined],
    ])('reads every file byte for byte, by %s', async (_by, repo_id, ref) => {
      const revision = ref ?? rev;
      const [snapshot, ...files] = await offline([
        { call: 'snapshot_download', args: { repo_id, revision } },
        ...[...CONTENTS.keys()].map((filename) => ({
          call: 'hf_hub_download',
          args: { repo_id, revision, filename },
        })),
      ]);
      if (snapshot === undefined || !('value' in snapshot)) throw new Error(snapshot?.message);
      const listed = await readdir(String(snapshot.value), { recursive: true });
      expect(listed).toEqual(expect.arrayContaining([...CONTENTS.keys()]));
      for (const [index, [name, content]] of [...CONTENTS].entries()) {
        const file = files[index];
        if (file === undefined || !('value' in file)) throw new Error(`${name}: ${file?.message}`);
        expect((await readFile(String(file.value))).equals(content), name).toBe(true);
      }
    });

    it('finds nothing to warn about in the cache', async () => {
      const [scan] = await offline([{ call: 'scan_cache_dir', args: {} }]);
      expect(scan).toEqual({ value: expect.objectContaining({ warnings: [] }) });
    });
  });
});
