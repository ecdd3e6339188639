import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import cases from '../fixtures/quants.json' with { type: 'json' };
import { type Hub, lfs, startHub } from '../support/hub/index.ts';
import { createNix, LIBRARY, type Nix, nixString, PKGS } from '../support/nix.ts';
import { runCli } from '../support/run-cli.ts';
import { runConfined, hasLlama, llamaCli } from './confined.ts';

// What `quant` locks is what the real llama.cpp downloads for `-hf org/name:QUANT` and opens.

vi.setConfig({ hookTimeout: 300_000 });

/** A GGUF file of version 3 without tensors and facts; what follows tells files apart. */
const gguf = (name: string) => lfs(`GGUF\u0003${'\0'.repeat(19)}${name}`);

/** The files of a repository that a program takes, and those that it opens; `null` for none. */
interface Choice {
  readonly files: readonly string[];
  readonly gguf: string | null;
  readonly mmproj: string | null;
}

const NOTHING: Choice = { files: [], gguf: null, mmproj: null };

let hub: Hub;
let nix: Nix;
const byLlama = new Map<string, Choice>();
const byLock = new Map<string, Choice>();

/** Runs llama.cpp with a repository and an empty cache. */
async function runLlama(id: string, quant: string): Promise<Choice> {
  const home = path.join(nix.folder, 'llama', id);
  await mkdir(home, { recursive: true });
  const env = { HOME: home, HF_ENDPOINT: `${hub.endpoint}/` };
  const command = llamaCli([home], `${id}:${quant}`);
  hub.clearRequests();
  const { stdout, stderr } = await runConfined(command, { folder: home, env });
  const downloads = hub.requests.flatMap(({ method, url }) => {
    const [, file] = /\/resolve\/[0-9a-f]{40}\/(.+)$/u.exec(url) ?? [];
    return method === 'GET' && file !== undefined ? [decodeURIComponent(file)] : [];
  });
  // No file has a model in it, and the messages say which file that was.
  const opened = (pattern: RegExp) => pattern.exec(stdout + stderr)?.[1] ?? null;
  return {
    files: downloads.toSorted(),
    gguf: opened(/failed to load model '[^']+\/snapshots\/[0-9a-f]{40}\/([^']+)'/u),
    mmproj: opened(/CLIP model from \S+\/snapshots\/[0-9a-f]{40}\/(\S+)/u),
  };
}

/** Locks a repository by one line of a manifest. */
async function lockQuant(id: string, quant: string): Promise<Choice> {
  const cwd = path.join(nix.folder, 'projects', id);
  await mkdir(cwd, { recursive: true });
  await writeFile(path.join(cwd, 'hug.yaml'), `models:\n  m: ${id}:${quant}\n`);
  const world = { cwd, env: { HF_ENDPOINT: hub.endpoint, XDG_CACHE_HOME: nix.folder } };
  const { status, stderr } = await runCli(['lock'], world);
  const lock = path.join(cwd, 'hug.lock.json');
  if (!existsSync(lock)) {
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: expect.stringContaining('EHUG_SELECTION'),
    });
    return NOTHING;
  }
  const model = `((${LIBRARY} { pkgs = ${PKGS}; }).importLock ${nixString(lock)}).models.m`;
  const read = `with ${model}; { inherit gguf mmproj; files = builtins.attrNames files; folder = "\${${model}}"; }`;
  const { folder, ...choice } = (await nix.evaluate(read)) as Choice & { folder: string };
  const inside = (file: string | null) => file && path.relative(folder, file);
  return {
    files: choice.files.toSorted(),
    gguf: inside(choice.gguf),
    mmproj: inside(choice.mmproj),
  };
}

describe.skipIf(!hasLlama)('a quant', () => {
  beforeAll(async () => {
    hub = await startHub();
    nix = await createNix();
    for (const [index, { name, quant, files }] of cases.entries()) {
      const id = `acme/m${index}`;
      const repo = await hub.createRepo({ type: 'model', id });
      await repo.commit({ files: Object.fromEntries(files.map((file) => [file, gguf(file)])) });
      byLlama.set(name, await runLlama(id, quant));
      byLock.set(name, await lockQuant(id, quant));
    }
  });
  afterAll(async () => {
    await hub.close();
    await nix.close();
  });

  it.each(cases)('is what llama.cpp takes and opens: $name', ({ name, takes }) => {
    expect(byLock.get(name)).toEqual(byLlama.get(name));
    expect(byLlama.get(name)?.files).toEqual(takes.toSorted());
  });
});
