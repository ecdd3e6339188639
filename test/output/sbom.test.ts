import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { hexOfSri } from '../../src/digest.ts';
import { EMPTY_LOCK, parseLock } from '../../src/lock/codec.ts';
import { allEntries } from '../../src/lock/entries.ts';
import { pathNames } from '../../src/lock/names.ts';
import type { Lock, LockedEntry } from '../../src/lock/schema.ts';
import { createSbom, type Sbom, type SpecVersion } from '../../src/output/sbom.ts';
import { spdxIdOf } from '../../src/output/spdx.ts';
import { lockedEntry, lockedFile, lockOf } from '../support/locks.ts';

const VERSIONS: readonly SpecVersion[] = ['1.6', '1.7'];

const PACKAGE = fileURLToPath(import.meta.resolve('@cyclonedx/cyclonedx-library/package.json'));

/** A schema of the CycloneDX project. */
const officialSchema = (name: string): object =>
  JSON.parse(
    readFileSync(path.join(PACKAGE, '../res/schema', `${name}.SNAPSHOT.schema.json`), 'utf8'),
  );

const VALIDATORS = new Map(
  VERSIONS.map((version) => {
    const ajv = new Ajv({
      strict: false,
      schemas: Object.fromEntries(
        ['spdx', 'jsf-0.82', 'cryptography-defs'].map((name) => [
          `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`,
          officialSchema(name),
        ]),
      ),
      formats: {
        date: true,
        'date-time': true,
        'idn-email': true,
        uri: true,
        'iri-reference': (text: string) => URL.canParse(text, 'https://example.org'),
      },
    });
    return [version, ajv.compile(officialSchema(`bom-${version}`))] as const;
  }),
);

/** What the official schema of a version finds wrong with a document, as it is written. */
function problemsIn(sbom: object, version: SpecVersion): unknown {
  const validate = VALIDATORS.get(version);
  if (validate === undefined) throw new Error(`no schema of ${version}`);
  return validate(JSON.parse(JSON.stringify(sbom))) ? [] : validate.errors;
}

/** The document of a whole lock, which both official schemas must accept. */
function sbomOf(lock: Lock): Sbom {
  for (const version of VERSIONS) {
    const sbom = createSbom(lock, allEntries(lock), version);
    expect(problemsIn(sbom, version)).toEqual([]);
  }
  return createSbom(lock, allEntries(lock), '1.6');
}

const rev = (digit: string) => digit.repeat(40);

const WEIGHTS = lockedFile('w', { lfs: true, size: 5 });

const ADAPTER = lockedEntry({
  repo: 'acme/lora',
  rev: rev('1'),
  license: ['apache-2.0'],
  needs: [
    { repo: 'acme/code', ref: 'main', by: 'config.json' },
    { repo: 'acme/lora', ref: 'main', by: 'config.json' },
    { repo: 'gone/away', ref: 'main', by: 'config.json' },
    { repo: 'org/base', ref: 'main', by: 'adapter/adapter_config.json' },
  ],
  files: new Map([
    ['adapter/adapter_config.json', lockedFile('a')],
    ['config.json', lockedFile('c')],
    ['übung/größe €.safetensors', { ...WEIGHTS, ...pathNames('übung/größe €.safetensors') }],
  ]),
});

const LOCK: Lock = {
  ...lockOf(
    { lora: ADAPTER, code: lockedEntry({ repo: 'acme/code', rev: rev('2') }) },
    {
      datasets: new Map([
        [
          'squad',
          lockedEntry({ repo: 'rajpurkar/squad', rev: rev('3'), license: ['CC-BY-SA-4.0'] }),
        ],
      ]),
    },
  ),
  needed: new Map([
    ['models/org/base@main', lockedEntry({ repo: 'org/base', rev: rev('4'), license: ['llama3'] })],
  ]),
};

const LORA = `pkg:huggingface/acme/lora@${rev('1')}`;
const CODE = `pkg:huggingface/acme/code@${rev('2')}`;
const SQUAD = `pkg:huggingface/datasets/rajpurkar/squad@${rev('3')}`;
const BASE = `pkg:huggingface/org/base@${rev('4')}`;

const componentIn = (sbom: Sbom, ref: string) =>
  sbom.components.find((component) => component['bom-ref'] === ref);

/** A lock whose maps have the reverse order. */
function reversed(lock: Lock): Lock {
  const section = (entries: ReadonlyMap<string, LockedEntry>) =>
    new Map(
      [...entries]
        .toReversed()
        .map(([name, entry]) => [
          name,
          { ...entry, files: new Map([...entry.files].toReversed()) },
        ]),
    );
  const { models, datasets, needed = new Map() } = lock;
  return {
    ...lock,
    models: section(models),
    datasets: section(datasets),
    needed: section(needed),
  };
}

describe('an SBOM', () => {
  it('has a component for each repository at its commit, with digests of its files', () => {
    const sbom = sbomOf(LOCK);
    expect(sbom.components.map((component) => component['bom-ref'])).toEqual([
      CODE,
      LORA,
      SQUAD,
      BASE,
    ]);
    expect(componentIn(sbom, LORA)).toMatchObject({
      type: 'machine-learning-model',
      group: 'acme',
      name: 'lora',
      version: rev('1'),
      purl: LORA,
      licenses: [{ license: { id: 'Apache-2.0' } }],
      externalReferences: [
        { type: 'vcs', url: 'https://huggingface.co/acme/lora' },
        { type: 'distribution', url: `https://huggingface.co/acme/lora/tree/${rev('1')}` },
      ],
    });
    expect(componentIn(sbom, LORA)?.components).toEqual([
      {
        type: 'file',
        name: 'adapter/adapter_config.json',
        hashes: [{ alg: 'SHA-256', content: hexOfSri(lockedFile('a').hash) }],
        swhid: [`swh:1:cnt:${lockedFile('a').oid}`],
      },
      expect.objectContaining({ name: 'config.json' }),
      {
        type: 'file',
        name: 'übung/größe €.safetensors',
        hashes: [{ alg: 'SHA-256', content: hexOfSri(WEIGHTS.hash) }],
      },
    ]);
    expect(componentIn(sbom, SQUAD)).toMatchObject({
      type: 'data',
      licenses: [{ license: { id: 'CC-BY-SA-4.0' } }],
      externalReferences: [
        { url: 'https://huggingface.co/datasets/rajpurkar/squad' },
        { url: `https://huggingface.co/datasets/rajpurkar/squad/tree/${rev('3')}` },
      ],
    });
  });

  it('says what each needs, and the base model of an adapter', () => {
    const sbom = sbomOf(LOCK);
    expect(sbom.dependencies).toEqual([
      { ref: CODE, dependsOn: [] },
      { ref: LORA, dependsOn: [CODE, BASE] },
      { ref: SQUAD, dependsOn: [] },
      { ref: BASE, dependsOn: [] },
    ]);
    expect(componentIn(sbom, LORA)?.pedigree).toEqual({
      ancestors: [
        {
          type: 'machine-learning-model',
          group: 'org',
          name: 'base',
          version: rev('4'),
          purl: BASE,
        },
      ],
    });
    expect(componentIn(sbom, CODE)).not.toHaveProperty('pedigree');
  });

  it('has one component for entries of one commit, with the files of all', () => {
    const entry = (...names: string[]) =>
      lockedEntry({ files: new Map(names.map((name) => [name, lockedFile(name)])) });
    const other = lockedEntry({ rev: rev('d') });
    const sbom = sbomOf(
      lockOf({
        a: entry('b.json', 'c.json'),
        b: { ...entry('a.json', 'b.json'), license: ['mit'] },
        other,
      }),
    );
    expect(sbom.components).toHaveLength(2);
    const [first] = sbom.components;
    expect(first?.components.map(({ name }) => name)).toEqual(['a.json', 'b.json', 'c.json']);
    expect(first?.licenses).toEqual([{ license: { id: 'MIT', acknowledgement: 'declared' } }]);
  });

  it('has the same bytes whatever the order in the lock', () => {
    for (const version of VERSIONS) {
      const text = (lock: Lock) => JSON.stringify(createSbom(lock, allEntries(lock), version));
      expect(text(reversed(LOCK))).toBe(text(LOCK));
      const entries = allEntries(LOCK).toReversed();
      expect(JSON.stringify(createSbom(LOCK, entries, version))).toBe(text(LOCK));
    }
  });

  it('is valid for a lock without entries', () => {
    expect(sbomOf(EMPTY_LOCK)).toMatchObject({ components: [], dependencies: [] });
  });

  it.each(readdirSync(path.join(import.meta.dirname, '../../examples')))(
    'is valid for the lock of examples/%s',
    (name) => {
      const file = path.join(import.meta.dirname, '../../examples', name, 'hug.lock.json');
      expect(sbomOf(parseLock(readFileSync(file, 'utf8'), file)).components).not.toEqual([]);
    },
  );

  it.each([
    ['https://huggingface.co', ''],
    ['https://huggingface.co/', ''],
    ['https://hub.example.org', '?repository_url=https:%2F%2Fhub.example.org'],
    [
      "http://[::1]:8080/a&b='c'%20d",
      '?repository_url=http:%2F%2F%5B::1%5D:8080%2Fa%26b%3D%27c%27%2520d',
    ],
  ])('names the Hub %s in package URLs where it is another one', (endpoint, qualifier) => {
    const { components } = sbomOf(lockOf({ a: lockedEntry({ repo: 'o/N' }) }, { endpoint }));
    const base = endpoint.replace(/\/$/u, '');
    expect(components[0]).toMatchObject({
      purl: `pkg:huggingface/o/N@${rev('c')}${qualifier}`,
      externalReferences: [{ url: `${base}/o/N` }, { url: `${base}/o/N/tree/${rev('c')}` }],
    });
  });

  it('has no group for an id of one part', () => {
    const [component] = sbomOf(lockOf({ a: lockedEntry({ repo: 'gpt2' }) })).components;
    expect(component).toMatchObject({ name: 'gpt2', purl: `pkg:huggingface/gpt2@${rev('c')}` });
    expect(component).not.toHaveProperty('group');
  });
});

describe('the licences of an SBOM', () => {
  const licensesOf = (over: Partial<LockedEntry>) =>
    sbomOf(lockOf({ a: lockedEntry(over) })).components[0]?.licenses?.map(({ license }) => license);
  const declared = (license: object) => ({ ...license, acknowledgement: 'declared' });

  it.each<[string, Partial<LockedEntry>, object[] | undefined]>([
    ['an SPDX licence', { license: ['apache-2.0'] }, [{ id: 'Apache-2.0' }]],
    ['one that SPDX writes in lower case', { license: ['etalab-2.0'] }, [{ id: 'etalab-2.0' }]],
    ['one in capitals', { license: ['CC-BY-NC-SA-4.0'] }, [{ id: 'CC-BY-NC-SA-4.0' }]],
    ['one of the Hub alone', { license: ['llama3.1'] }, [{ name: 'llama3.1' }]],
    ['a family of licences', { license: ['gpl'] }, [{ name: 'gpl' }]],
    ['another one', { license: ['other'], licenseName: 'flux-dev' }, [{ name: 'flux-dev' }]],
    ['another one without a name', { license: ['other'] }, [{ name: 'other' }]],
    ['several', { license: ['mit', 'gemma', 'MIT'] }, [{ id: 'MIT' }, { name: 'gemma' }]],
    ['none', {}, undefined],
  ])('have %s', (_kind, over, expected) => {
    expect(licensesOf(over)).toEqual(expected?.map(declared));
  });

  it('have an SPDX id for every id of the Hub that SPDX has, and a name for all others', () => {
    const spdx: { enum: readonly string[] } = JSON.parse(JSON.stringify(officialSchema('spdx')));
    const spelling = new Map(spdx.enum.map((id) => [id.toLowerCase(), id]));
    const table: Record<string, string | null> = JSON.parse(
      readFileSync(new URL('../fixtures/licenses.json', import.meta.url), 'utf8'),
    );
    expect(Object.keys(table)).toHaveLength(83);
    for (const [id, expected] of Object.entries(table)) {
      expect(spdxIdOf(id) ?? null, id).toBe(expected);
      expect(spelling.get(id) ?? null, id).toBe(expected);
      expect(licensesOf({ license: [id] })).toEqual([
        declared(expected === null ? { name: id } : { id: expected }),
      ]);
    }
  });

  it('would not be valid in the spelling of the Hub', () => {
    const sbom = createSbom(LOCK, allEntries(LOCK), '1.6');
    const wrong = sbom.components.map((component) => ({
      ...component,
      licenses: [{ license: { id: 'apache-2.0' } }],
    }));
    for (const version of VERSIONS) {
      expect(problemsIn({ ...sbom, specVersion: version, components: wrong }, version)).not.toEqual(
        [],
      );
    }
  });
});
