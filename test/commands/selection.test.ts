import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type FileContent, type Hub, lfs, startHub } from '../support/hub/index.ts';
import { hfUser } from '../support/hf-user.ts';
import { createProject, type Project } from '../support/project.ts';

// format, variant and quant in hug.yaml, in options and in repository forms.

let hub: Hub;

const project = (manifest = '') => createProject(hub.endpoint, manifest);

const manifestOf = ({ folder }: Project) => readFile(path.join(folder, 'hug.yaml'), 'utf8');

/** Weights of a size, each with content of its own. */
let seed = 0;
const weights = (size: number): FileContent => lfs.generated({ size, seed: (seed += 1) });

/** Paths of the LFS files that the lock has for the entry `m`. */
async function lockedLfs({ lockText }: Project): Promise<string[]> {
  const lock: { models: Record<string, { files: Record<string, { lfs?: true }> }> } = JSON.parse(
    (await lockText()) ?? '{}',
  );
  return Object.entries(lock.models['m']?.files ?? {})
    .filter(([, file]) => file.lfs === true)
    .map(([name]) => name);
}

beforeAll(async () => {
  hub = await startHub();
  const repos: Record<string, Record<string, FileContent>> = {
    'org/many': {
      'config.json': '{}',
      'model.safetensors': weights(60_000),
      'pytorch_model.bin': weights(61_000),
      'tf_model.h5': weights(62_000),
      'training_args.bin': weights(30),
      'onnx/model.onnx': weights(63_000),
      'onnx/config.json': '{"onnx": true}',
    },
    'org/pipe': {
      'model_index.json': '{}',
      'unet/model.fp16.safetensors': weights(1_000),
      'unet/model.safetensors': weights(2_000),
      'vae/model.safetensors': weights(3_000),
    },
    'org/gguf': {
      'README.md': '# gguf\n',
      'm-Q4_K_M.gguf': weights(4_000),
      'm-Q8_0-00001-of-00002.gguf': weights(4_500),
      'm-Q8_0-00002-of-00002.gguf': weights(4_600),
      'm.imatrix': weights(500),
      'mmproj-F16.gguf': weights(700),
    },
    'org/plain': { 'config.json': '{}', 'w.bin': weights(50), 'training_args.bin': weights(60) },
  };
  for (const [id, files] of Object.entries(repos)) {
    const repo = await hub.createRepo({ type: 'model', id });
    const sha = await repo.commit({ files });
    await repo.tag('v1.0.0', sha);
  }
});
afterAll(() => hub.close());
beforeEach(() => hub.clearRequests());

describe('lock', () => {
  it.each([
    ['{ repo: org/many, format: safetensors }', ['model.safetensors'], { format: 'safetensors' }],
    [
      '{ repo: org/pipe, format: safetensors, variant: fp16 }',
      ['unet/model.fp16.safetensors', 'vae/model.safetensors'],
      { format: 'safetensors', variant: 'fp16' },
    ],
    [
      '{ repo: org/pipe, exclude: ["vae/"], variant: fp16 }',
      ['unet/model.fp16.safetensors'],
      { exclude: ['vae/'], variant: 'fp16' },
    ],
    [
      '{ repo: org/gguf, quant: q4_k_m }',
      ['m-Q4_K_M.gguf', 'mmproj-F16.gguf'],
      { quant: 'q4_k_m' },
    ],
    [
      'org/gguf:Q8_0',
      ['m-Q8_0-00001-of-00002.gguf', 'm-Q8_0-00002-of-00002.gguf', 'mmproj-F16.gguf'],
      { quant: 'Q8_0' },
    ],
  ])('of %s', async (entry, files, select) => {
    const at = await project(`models:\n  m: ${entry}\n`);
    const { status, stderr } = await at.run(['lock']);
    expect([status, stderr]).toEqual([0, expect.not.stringContaining('warning')]);
    expect(await lockedLfs(at)).toEqual(files);
    expect(JSON.parse((await at.lockText()) ?? '').models.m.select).toEqual(select);
    expect((await at.run(['lock', '--check'])).status).toBe(0);
  });

  it.each([
    ['{ repo: org/many, format: gguf }', 'it has safetensors (60 kB), pytorch (61 kB)'],
    ['org/gguf:Q5_K_M', 'it has Q4_K_M (4.7 kB), Q8_0 (9.8 kB)'],
    ['org/many:main', 'A revision is named with ref'],
    ['{ repo: org/many, files: [pytorch_model.safetensors] }', '"onnx/model.onnx" 63 kB'],
  ])('of %s lists what there is', async (entry, message) => {
    const at = await project(`models:\n  m: ${entry}\n`);
    const { status, stderr } = await at.run(['lock']);
    expect(status).toBe(1);
    expect(stderr).toContain('EHUG_SELECTION');
    expect(stderr).toContain(message);
  });

  it('--check tells without a network that a selection changed', async () => {
    const at = await project('models:\n  m: { repo: org/many, format: onnx }\n');
    await at.run(['lock']);
    hub.clearRequests();
    await at.manifest('models:\n  m: { repo: org/many, format: pytorch, variant: fp16 }\n');
    const { status, json } = await at.run(['lock', '--check', '--json']);
    expect(status).toBe(3);
    expect(json()).toMatchObject({
      reasons: [
        { reason: 'format changed from "onnx" to "pytorch"' },
        { reason: 'variant changed from none to "fp16"' },
      ],
    });
    await at.manifest('models:\n  m: org/many:Q4_K_M\n');
    expect((await at.run(['lock', '--check'])).stdout).toContain(
      'quant changed from none to "Q4_K_M"',
    );
    expect(hub.requests).toEqual([]);
  });
});

describe('add', () => {
  it.each([
    [['org/many', '--format', 'safetensors'], 'repo: org/many\n    format: safetensors'],
    [
      ['org/pipe', '--format', 'safetensors', '--variant', 'fp16', '--ref', 'v1.0.0'],
      'repo: org/pipe\n    ref: v1.0.0\n    format: safetensors\n    variant: fp16',
    ],
    [
      ['org/gguf', '--quant', 'Q8_0', '--group', 'gpu'],
      'repo: org/gguf\n    quant: Q8_0\n    groups: [gpu]',
    ],
  ])('writes %j', async (argv, fields) => {
    const at = await project('# ours\n');
    expect((await at.run(['add', ...argv, '--name', 'm'])).status).toBe(0);
    expect(await manifestOf(at)).toBe(`# ours\n\nmodels:\n  m:\n    ${fields}\n`);
    expect((await at.run(['lock', '--check'])).status).toBe(0);
  });

  it.each([
    [['org/gguf:Q4_K_M']],
    [['org/gguf', '--quant', 'Q4_K_M']],
    [['hf:org/gguf:Q4_K_M', '--quant', 'Q4_K_M']],
  ])('writes the short form of a quant for %j', async (argv) => {
    const at = await project();
    expect((await at.run(['add', ...argv])).status).toBe(0);
    expect(await manifestOf(at)).toBe('models:\n  gguf: org/gguf:Q4_K_M\n');
  });

  it.each([
    ['org/gguf:Q8_0 # why', ['org/gguf:Q4_K_M'], 'org/gguf:Q4_K_M # why'],
    [
      '{ repo: org/gguf, quant: Q8_0 } # why',
      ['org/gguf:Q4_K_M'],
      '{ repo: org/gguf, quant: Q4_K_M } # why',
    ],
    ['org/gguf # why', ['org/gguf', '--quant', 'Q4_K_M'], 'org/gguf:Q4_K_M # why'],
    [
      '{ repo: org/gguf:Q8_0 }',
      ['org/gguf', '--ref', 'v1.0.0'],
      '{ repo: org/gguf, quant: Q8_0, ref: v1.0.0 }',
    ],
    [
      '{ repo: org/many, include: ["*.h5"], format: tensorflow } # why',
      ['org/many', '--format', 'onnx'],
      '{ repo: org/many, format: onnx } # why',
    ],
    [
      '{ repo: org/many, format: onnx, variant: x }',
      ['org/many', '--file', 'config.json'],
      '{ repo: org/many, files: [config.json] }',
    ],
  ])('changes %s with %j', async (before, argv, after) => {
    const at = await project(`models:\n  m: ${before}\n`);
    expect((await at.run(['add', ...argv])).status).toBe(0);
    expect(await manifestOf(at)).toBe(`models:\n  m: ${after}\n`);
    expect((await at.run(['lock', '--check'])).status).toBe(0);
  });

  it('has nothing to do for the selection that is there', async () => {
    const at = await project('models:\n  m: org/gguf:Q8_0\n');
    await at.run(['lock']);
    const { status, stdout } = await at.run(['add', 'org/gguf', '--quant', 'Q8_0']);
    expect([status, stdout]).toEqual([0, 'nothing to do: hug.yaml has models.m already\n']);
  });

  it('tells of several formats what they cost, and the option that takes one', async () => {
    const at = await project();
    const { stdout } = await at.run(['add', 'org/many']);
    expect(stdout).toContain(
      '  - takes all 4 formats, safetensors (60 kB), pytorch (61 kB), onnx (63 kB), tensorflow (62 kB); to take one: `nix-hug add org/many --format safetensors`\n',
    );
    const again = await at.run(['add', 'org/many', '--format', 'safetensors']);
    expect([again.status, again.stdout]).toEqual([0, expect.not.stringContaining('takes all')]);
    expect(await manifestOf(at)).toContain('{repo: org/many, format: safetensors}');
  });

  it('tells of several quants, and names the entry where a repository has two', async () => {
    const at = await project('models:\n  m: org/gguf:Q8_0\n');
    const { stdout } = await at.run(['add', 'org/gguf', '--name', 'all']);
    expect(stdout).toContain(
      '  - takes all 2 quants, Q4_K_M (4.7 kB), Q8_0 (9.8 kB); to take one: `nix-hug add org/gguf --name all --quant Q4_K_M`\n',
    );
    expect(stdout).not.toContain('formats');
    const again = await at.run(['add', 'org/gguf', '--name', 'all', '--quant', 'Q4_K_M']);
    expect(again.status).toBe(0);
    expect(await manifestOf(at)).toBe('models:\n  m: org/gguf:Q8_0\n  all: org/gguf:Q4_K_M\n');
  });

  it('says nothing of a repository with one format', async () => {
    const at = await project();
    const { stdout } = await at.run(['add', 'org/plain']);
    expect(stdout).not.toContain('takes all');
  });
});

describe('options', () => {
  it.each([
    [
      ['--format', 'safetensors'],
      ['config.json', 'model.safetensors', 'onnx/config.json'],
    ],
    [
      ['--format', 'onnx', '--exclude', '*.onnx'],
      ['config.json', 'onnx/config.json'],
    ],
  ])('of ls select files: %j', async (options, paths) => {
    const at = await project();
    const { json } = await at.run(['ls', 'org/many', ...options, '--json']);
    expect(json()).toMatchObject({ files: paths.map((file) => ({ path: file })) });
  });

  it('of ls select among the files of an entry', async () => {
    const at = await project('models:\n  m: org/gguf\n');
    await at.run(['lock']);
    const { json } = await at.run(['ls', 'm', '--quant', 'Q4_K_M', '--json']);
    expect(json()).toMatchObject({
      files: ['README.md', 'm-Q4_K_M.gguf', 'mmproj-F16.gguf'].map((file) => ({ path: file })),
    });
  });

  it('of fetch give an expression with the same files', async () => {
    const at = await project();
    const listed = await at.run(['ls', 'org/gguf:Q8_0', '--json']);
    const { files } = listed.json() as { files: readonly { path: string }[] };
    const { stdout } = await at.run(['fetch', 'org/gguf:Q8_0', '--dry-run']);
    const [, list = ''] = /filters = \{\s*files = \[([^\]]*)\]/u.exec(stdout) ?? [];
    expect([...list.matchAll(/"([^"]*)"/gu)].map(([, file]) => file)).toEqual(
      files.map((file) => file.path),
    );
    const many = await at.run(['fetch', 'org/many', '--format', 'onnx', '--dry-run']);
    expect(many.stdout).toContain(
      'filters = { files = [ "config.json" "onnx/config.json" "onnx/model.onnx" ]; };',
    );
  });

  it('of export write the same files into the cache', async () => {
    const user = await hfUser(hub.endpoint, 'models:\n  m: org/many\n');
    const url = await user.run(['export', 'org/pipe', '--variant', 'fp16', '--json']);
    const entry = await user.run(['export', 'm', '--format', 'onnx', '--json']);
    const pathsIn = (json: { entries: { files: { path: string }[] }[] }) =>
      json.entries[0]?.files.map((file) => file.path);
    expect(pathsIn(url.json())).toEqual([
      'model_index.json',
      'unet/model.fp16.safetensors',
      'vae/model.safetensors',
    ]);
    expect(pathsIn(entry.json())).toEqual(['config.json', 'onnx/config.json', 'onnx/model.onnx']);
  });

  it.each([
    [['ls', 'org/many', '--format', 'rust'], 'Allowed choices are safetensors'],
    [['ls', 'org/many', '--variant', 'a/b'], 'is not a variant'],
    [['ls', 'org/gguf', '--quant', 'Q4.K'], 'is not a quant'],
    [['ls', 'org/gguf:Q4_K_M', '--quant', 'Q8_0'], 'two values for the quant'],
    [['ls', 'org/gguf:Q4_K_M', '--format', 'gguf'], 'a quant cannot be combined with patterns'],
    [['add', 'org/gguf', '--quant', 'Q8_0', '--include', '*'], 'a quant cannot be combined'],
    [['add', 'org/many', '--file', 'a', '--format', 'onnx'], 'exact files cannot be combined'],
    [['fetch', '--format', 'onnx'], 'options that select files need a repository'],
    [['import', '--quant', 'Q8_0'], 'options that select files need a repository'],
  ])('that contradict each other are refused: %j', async (argv, message) => {
    const at = await project('models: {}\n');
    const { status, stderr } = await at.run(argv);
    expect([status, stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});
