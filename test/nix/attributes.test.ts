import path from 'node:path';
import { expect, it } from 'vitest';
import { formatLock } from '../../src/lock/codec.ts';
import { allEntries } from '../../src/lock/entries.ts';
import type { Lock } from '../../src/lock/schema.ts';
import { createSbom } from '../../src/output/sbom.ts';
import endpoints from '../fixtures/endpoints.json' with { type: 'json' };
import hubLicenses from '../fixtures/licenses.json' with { type: 'json' };
import { lockedEntry, lockedFile, lockOf } from '../support/locks.ts';
import { describeNix, LIBRARY, nixString, PKGS } from '../support/nix.ts';

const REV = 'c'.repeat(40);

/** Files by their sizes in bytes. */
const filesOf = (sizes: Record<string, number>) =>
  new Map(Object.entries(sizes).map(([name, size]) => [name, lockedFile(name, { size })]));

const LOCK: Lock = {
  ...lockOf({
    m: lockedEntry({
      license: ['apache-2.0', 'other'],
      licenseName: 'flux-dev',
      files: filesOf({
        'README.md': 7,
        'model.safetensors': 9_000_000_000_000_000,
        'onnx/model.onnx_data': 20,
        'pytorch_model.bin': 300,
      }),
    }),
  }),
  datasets: new Map([
    ['d', lockedEntry({ repo: 'org/rows', ref: 'v1', files: filesOf({ a: 5 }) })],
  ]),
  needed: new Map([
    ['models/org/base@main', lockedEntry({ repo: 'org/base', license: ['gemma'] })],
  ]),
};

/** A lock's library, from its text. */
const imported = (lock: Lock, pkgs = PKGS, args = '') =>
  `((${LIBRARY} { pkgs = ${pkgs}; ${args} }).importLock (builtins.fromJSON ${nixString(formatLock(lock))}))`;

/** Needs no package and no file: whoever looks at them fails. */
const untouched = (lock: Lock) =>
  imported(
    lock,
    'throw "pkgs"',
    'fetchFile = _: throw "file"; endpoint = "https://mirror.example";',
  );

const FACTS = 'value: { inherit (value) license size weightSize purl meta; }';

describeNix('a model or dataset', (nix) => {
  it('says its licences, sizes and package URL, without a package or a file', async () => {
    expect(
      await nix().evaluate(
        `let hug = ${untouched(LOCK)}; f = ${FACTS}; in
        [ (f hug.models.m) (f hug.datasets.d) (f hug.needed."models/org/base@main") ]`,
      ),
    ).toEqual([
      {
        license: ['apache-2.0', 'other'],
        size: 9_000_000_000_000_327,
        weightSize: 9_000_000_000_000_320,
        purl: `pkg:huggingface/org/name@${REV}`,
        meta: {
          description: 'Hugging Face model org/name at main',
          homepage: 'https://huggingface.co/org/name',
          license: [{ spdxId: 'Apache-2.0', shortName: 'apache-2.0', free: true }, 'flux-dev'],
        },
      },
      {
        license: [],
        size: 5,
        weightSize: 0,
        purl: `pkg:huggingface/datasets/org/rows@${REV}`,
        meta: {
          description: 'Hugging Face dataset org/rows at v1',
          homepage: 'https://huggingface.co/datasets/org/rows',
        },
      },
      {
        license: ['gemma'],
        size: 3,
        weightSize: 0,
        purl: `pkg:huggingface/org/base@${REV}`,
        meta: {
          description: 'Hugging Face model org/base at main',
          homepage: 'https://huggingface.co/org/base',
          license: ['gemma'],
        },
      },
    ]);
  });

  it('has them in passthru, but for meta, which is beside the derivation', async () => {
    const model = `${imported(LOCK)}.models.m`;
    expect(
      await nix().evaluate(
        `let m = ${model}; in {
          same = builtins.all (name: m.\${name} == m.passthru.\${name}) [ "license" "size" "weightSize" "purl" ];
          hasMeta = m.passthru ? meta || m.drvAttrs ? meta;
        }`,
      ),
    ).toEqual({ same: true, hasMeta: false });
  });

  it('has the store path that it has without a licence, also under one that is not free', async () => {
    const drvPath = (license?: readonly string[]) =>
      nix().evaluate(
        `${imported(lockOf({ m: lockedEntry(license === undefined ? {} : { license }) }))}.models.m.drvPath`,
      );
    expect(await drvPath(['cc-by-nc-4.0'])).toBe(await drvPath());
  });

  it('has the package URL of the SBOM, whichever Hub the lock names', async () => {
    const locks = [undefined, ...endpoints.accepted].map((endpoint) =>
      lockOf(
        { m: lockedEntry({ repo: 'Org/na.me' }) },
        {
          datasets: new Map([['d', lockedEntry({ repo: 'squad' })]]),
          ...(endpoint === undefined ? {} : { endpoint }),
        },
      ),
    );
    const urls = locks.map(
      (lock) => `(with ${untouched(lock)}; [ models.m.purl datasets.d.purl ])`,
    );
    expect(await nix().evaluate(`[ ${urls.join(' ')} ]`)).toEqual(
      locks.map((lock) =>
        createSbom(lock, allEntries(lock), '1.6').components.map(({ purl }) => purl),
      ),
    );
  });
});

describeNix('meta.license', (nix) => {
  const licenses = `import ${nixString(path.join(import.meta.dirname, '../../nix/licenses.nix'))}`;
  const evaluated = (locked: object) =>
    nix().evaluate(`${licenses} (builtins.fromJSON ${nixString(JSON.stringify(locked))})`);

  it('has the spelling of SPDX, as the SBOM has, and the id of the Hub for other licences', async () => {
    const ids = Object.keys(hubLicenses);
    const spdxIds = ((await evaluated({ license: ids })) as (string | { spdxId: string })[]).map(
      (license) => (typeof license === 'string' ? { name: license } : license.spdxId),
    );
    expect(spdxIds).toEqual(
      Object.entries(hubLicenses).map(([id, spdxId]) => spdxId ?? { name: id }),
    );
  });

  it('is not free where commercial use or changes are forbidden', async () => {
    const free = ['MIT', 'ncsa', 'cc-by-sa-4.0', 'cc0-1.0'];
    const unfree = ['cc-by-nc-2.0', 'CC-BY-NC-SA-4.0', 'cc-by-nd-4.0', 'cc-by-nc-nd-3.0'];
    const found = (await evaluated({ license: [...free, ...unfree] })) as { free: boolean }[];
    expect(found.map((license) => license.free)).toEqual([
      ...free.map(() => true),
      ...unfree.map(() => false),
    ]);
  });

  it('is "other" where the README gives it no name', async () => {
    expect(await evaluated({ license: ['Other'] })).toEqual(['Other']);
  });
});
