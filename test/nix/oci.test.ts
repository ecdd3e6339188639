import { createHash } from 'node:crypto';
import { readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatLock } from '../../src/lock/codec.ts';
import type { Lock } from '../../src/lock/schema.ts';
import { weightFormat } from '../../src/weight-format.ts';
import lists from '../fixtures/file-lists.json' with { type: 'json' };
import { lockedEntry, lockedFile, lockOf } from '../support/locks.ts';
import { describeNix, LIBRARY, nixString, PKGS } from '../support/nix.ts';
import { type FileServer, serveFiles } from './file-server.ts';
import { makeRepository } from './repository.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');
const FIXTURES = path.join(ROOT, 'test/fixtures/lock/valid');

const model = await makeRepository({
  files: {
    'README.md': '# text',
    'config.json': '{}',
    'modeling.py': 'x = 1',
    'a "b" ü.txt': 'odd',
    'copy/config.json': '{}',
  },
  lfs: { 'model.safetensors': 'weights\0', 'tokenizer.json': '{"a":1}', 'assets/a.png': 'png' },
});
const dataset = await makeRepository({
  repo: 'squad',
  type: 'dataset',
  ref: 'refs/pr/1',
  files: { 'README.md': 'text', 'load.py': '' },
  lfs: { 'data/a.parquet': 'rows', 'data/b.png': 'image' },
});

/** Lock → entry → digest of its manifest. */
const DIGESTS = {
  'odd-paths.json': {
    m: 'sha256:b7e08a71be05cde2dd7ea891571ae212929302091d3da955ea350bf0e15fe67e',
  },
  'version-2.json': {
    '_-': 'sha256:a79a4ebc526ec002e7922c9344301b4566772de7305d36c5ba28907689275415',
    canonical: 'sha256:26717bfac852c8bfd0b4d7cda1d99ef6ad7d9520b74b0735411220ee96eb4f81',
    gpt2: 'sha256:99c5a188ff28baff6ebe79f5a23973b7bf72868f393be74ec1fbfcaff64b369c',
    one_file: 'sha256:0a78dd06cfcffebabf1b16b443a1663a1cad2f08f635e26ae72a723fb0577793',
    squad: 'sha256:872c15b96877c66e30ea423b3982c8be0da10bdb239e128bd44de653c93ad755',
  },
};

const sha256 = (content: Uint8Array | string) => createHash('sha256').update(content).digest('hex');
const digestOf = (content: Uint8Array | string) => `sha256:${sha256(content)}`;

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations: Readonly<Record<string, string>>;
}

/** A JSON document of a layout; a blob must have the digest that its name says. */
async function readDocument(layout: string, { digest, size }: Descriptor) {
  const content = await readFile(path.join(layout, 'blobs', digest.replace(':', '/')));
  expect([digestOf(content), content.length]).toEqual([digest, size]);
  return JSON.parse(content.toString());
}

async function readLayout(layout: string) {
  const index = JSON.parse(await readFile(path.join(layout, 'index.json'), 'utf8'));
  expect(index.manifests).toHaveLength(1);
  const manifest = await readDocument(layout, index.manifests[0]);
  const layers: readonly Descriptor[] = manifest.layers;
  return { index, manifest, layers, config: await readDocument(layout, manifest.config) };
}

describeNix('oci', (nix) => {
  let server: FileServer;
  beforeAll(async () => {
    server = await serveFiles(new Map([...model.addresses, ...dataset.addresses]));
  });
  afterAll(() => server.close());

  const importing = (lock: Lock, options = '', endpoint = server.endpoint) =>
    `((${LIBRARY} { pkgs = ${PKGS}; endpoint = "${endpoint}"; }).importLock { lock = builtins.fromJSON ${nixString(formatLock(lock))}; ${options} })`;
  const LOCK = lockOf(
    { m: { ...model.entry, license: ['mit', 'other'] } },
    {
      datasets: new Map([['d', dataset.entry]]),
      needed: new Map([['models/org/name@v1', { ...model.entry, ref: 'v1' }]]),
    },
  );

  it('is an image layout with one raw layer for each file, whose digest is the one in the lock', async () => {
    const hug = importing(LOCK);
    const layout = await nix().build(`${hug}.models.m.oci`);
    const { index, manifest, layers, config } = await readLayout(layout);
    expect(JSON.parse(await readFile(path.join(layout, 'oci-layout'), 'utf8'))).toEqual({
      imageLayoutVersion: '1.0.0',
    });
    expect(index).toEqual({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      manifests: [
        {
          mediaType: 'application/vnd.oci.image.manifest.v1+json',
          artifactType: 'application/vnd.cncf.model.manifest.v1+json',
          digest: await nix().evaluate(`${hug}.models.m.oci.digest`),
          size: expect.any(Number),
          annotations: { 'org.opencontainers.image.ref.name': 'main' },
        },
      ],
    });
    expect(manifest).toEqual({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      artifactType: 'application/vnd.cncf.model.manifest.v1+json',
      config: expect.objectContaining({ mediaType: 'application/vnd.cncf.model.config.v1+json' }),
      layers: expect.anything(),
    });

    const kinds = {
      'README.md': 'doc',
      'a "b" ü.txt': 'weight.config',
      'assets/a.png': 'doc',
      'config.json': 'weight.config',
      'copy/config.json': 'weight.config',
      'model.safetensors': 'weight',
      'modeling.py': 'code',
      'tokenizer.json': 'weight.config',
    };
    expect(layers).toEqual(
      Object.entries(kinds).map(([name, kind]) => {
        const content = model.contents.get(name) ?? '';
        return {
          mediaType: `application/vnd.cncf.model.${kind}.v1.raw`,
          digest: digestOf(content),
          size: content.length,
          annotations: {
            'org.cncf.model.filepath': name,
            'org.opencontainers.image.title': name,
          },
        };
      }),
    );
    expect(config).toEqual({
      descriptor: {
        name: 'name',
        revision: model.entry.rev,
        sourceURL: 'https://huggingface.co/org/name',
        licenses: ['mit', 'other'],
      },
      config: { format: 'safetensors' },
      modelfs: { type: 'layers', diffIds: layers.map(({ digest }) => digest) },
    });
  });

  it('is made of links, one for each content', async () => {
    const layout = await nix().build(`${importing(LOCK)}.models.m.oci`);
    const blobs = path.join(layout, 'blobs/sha256');
    const names = await readdir(blobs);
    // Two paths have the same content; config and manifest are blobs too.
    expect(names).toHaveLength(model.contents.size - 1 + 2);
    const links = await Promise.all(names.map((name) => readlink(path.join(blobs, name))));
    expect(links.every((link) => link.startsWith(`${nix().storeDir}/`))).toBe(true);
    const weights = model.contents.get('model.safetensors') ?? '';
    expect(await readFile(path.join(blobs, sha256(weights)))).toEqual(weights);
  });

  it('of a dataset has layers of data', async () => {
    const { index, layers, config } = await readLayout(
      await nix().build(`${importing(LOCK)}.datasets.d.oci`),
    );
    expect(layers.map(({ mediaType }) => mediaType.split('.').at(-3))).toEqual([
      'doc',
      'dataset',
      'dataset',
      'code',
    ]);
    expect(config.descriptor.sourceURL).toBe('https://huggingface.co/datasets/squad');
    expect(config.config).toEqual({});
    // Its ref has a slash, which no tag has.
    expect(index.manifests[0].annotations['org.opencontainers.image.ref.name']).toBe(
      dataset.entry.rev,
    );
  });

  it('of what entries need is there too', async () => {
    const layout = await nix().build(`${importing(LOCK)}.needed."models/org/name@v1".oci`);
    expect((await readLayout(layout)).layers).toHaveLength(model.contents.size);
  });

  it('does not depend on the mirror, only on the Hub that the lock names', async () => {
    const digest = (lock: Lock, endpoint?: string) =>
      nix().evaluate(`${importing(lock, '', endpoint)}.models.m.oci.digest`);
    const one = await digest(LOCK);
    expect(await digest(LOCK, 'https://mirror.example.org')).toBe(one);
    expect(await digest({ ...LOCK, endpoint: 'https://hub.example.org' })).not.toBe(one);
  });

  // `make test-compat` runs this again with the current Nix.
  it.each(Object.entries(DIGESTS))(
    'has the same digests with every Nix: %s',
    async (name, digests) => {
      const hug = `((${LIBRARY} { pkgs = ${PKGS}; }).importLock ${nixString(path.join(FIXTURES, name))})`;
      expect(
        await nix().evaluate(
          `builtins.mapAttrs (_: value: value.oci.digest) (${hug}.models // ${hug}.datasets)`,
        ),
      ).toEqual(digests);
    },
  );

  describe('with overrides', () => {
    const overriding = (file: string) =>
      importing(LOCK, `overrides.models.m."config.json" = ${file};`);

    it('has the file of the user', async () => {
      const mine = path.join(nix().folder, 'mine.json');
      await writeFile(mine, '{"größe":1}');
      const hug = overriding(`/. + ${nixString(mine)}`);
      const layout = await nix().build(`${hug}.models.m.oci`);
      const { layers } = await readLayout(layout);
      const layer = layers.find(
        ({ annotations }) => annotations['org.cncf.model.filepath'] === 'config.json',
      );
      expect(layer).toMatchObject({ digest: digestOf('{"größe":1}'), size: 13 });
      const blob = path.join(layout, 'blobs/sha256', sha256('{"größe":1}'));
      expect(await readFile(blob, 'utf8')).toBe('{"größe":1}');
    });

    it('refuses what has no digest in evaluation', async () => {
      const hug = overriding('builtins.toFile "c" "{}"');
      expect(await nix().evaluationError(`${hug}.models.m.oci.digest`)).toContain(
        'nix-hug: oci: overrides.models.m."config.json" is not a path; the digest of a derivation is not known',
      );
    });

    it('refuses a file whose size Nix cannot tell, and a folder', async () => {
      const mine = path.join(nix().folder, 'mine.bin');
      await writeFile(mine, 'a\0b');
      for (const file of [mine, nix().folder]) {
        const hug = overriding(`/. + ${nixString(file)}`);
        expect(await nix().evaluationError(`${hug}.models.m.oci.digest`)).toContain(
          'nix-hug: oci: overrides.models.m."config.json" is not a file without NUL characters',
        );
      }
    });
  });

  it('needs a file', async () => {
    const hug = importing(lockOf({ m: { ...model.entry, files: new Map() } }));
    expect(await nix().evaluationError(`${hug}.models.m.oci.outPath`)).toContain(
      'nix-hug: oci: models.m has no files, and an image needs one',
    );
  });

  it.each([
    ['one', ['a.gguf', 'b/c.GGUF', 'config.json'], { format: 'gguf' }],
    ['one that the specification calls pt', ['pytorch_model.bin'], { format: 'pt' }],
    ['several', ['a.gguf', 'model.safetensors'], {}],
    ['none', ['config.json', 'model.safetensors.index.json'], {}],
  ])('names the format of the weights where there is %s', async (_case, names, config) => {
    const files = new Map(names.map((name) => [name, lockedFile(name)]));
    const lock = formatLock(lockOf({ m: lockedEntry({ files }) }));
    const library = `(${LIBRARY} { pkgs = ${PKGS}; fetchFile = { name, ... }: builtins.toFile name ""; })`;
    const layout = await nix().build(
      `(${library}.importLock (builtins.fromJSON ${nixString(lock)})).models.m.oci`,
    );
    expect((await readLayout(layout)).config.config).toEqual(config);
  });
});

describeNix('the format of a weight file in Nix', (nix) => {
  it('is the one that the command line sees', async () => {
    const odd = [
      'onnx/OpenVINO_model.bin',
      'x.model.bin.index.fp16.json',
      'model.onnx_data_12',
      'model.onnx.data',
      'tf/variables/x',
      'tf/variables/x/y',
      'variables/x',
      'saved_model.pb.txt',
      'm.mlpackage/Data/a.json',
      'a.mlmodel',
      'a.OT',
      'a.gguf.txt',
      'safetensors',
    ];
    const paths = [...new Set([...Object.values(lists).flat(), ...odd])];
    const found = await nix().evaluate(
      `map (import ${nixString(path.join(ROOT, 'nix/weight-format.nix'))}) (builtins.fromJSON ${nixString(JSON.stringify(paths))})`,
    );
    expect(found).toEqual(paths.map((name) => weightFormat(name) ?? null));
  });
});
