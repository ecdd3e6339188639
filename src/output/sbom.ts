import { DEFAULT_ENDPOINT, repoPage } from '../address.ts';
import { byCodeUnit, groupBy, type NonEmpty } from '../collections.ts';
import { hexOfSri } from '../digest.ts';
import type { NamedEntry } from '../lock/entries.ts';
import { createNeedIndex } from '../lock/needs.ts';
import type { Lock, LockedEntry, LockedFile } from '../lock/schema.ts';
import { purlOf } from './purl.ts';
import { spdxIdOf } from './spdx.ts';

/** A version of CycloneDX. A document has the same content in both. */
export type SpecVersion = '1.6' | '1.7';

/** The file by which an adapter of peft names its base model. */
const ADAPTER_CONFIG = /(?:^|\/)adapter_config\.json$/u;

/** A file of a model or dataset. */
interface FileComponent {
  readonly type: 'file';
  /** Path in the repository. */
  readonly name: string;
  readonly hashes: readonly [{ readonly alg: 'SHA-256'; readonly content: string }];
  /** Of a plain file: its git blob id, as Software Heritage writes it. */
  readonly swhid?: readonly [string];
}

/** What identifies a model or dataset at a commit. */
interface Identity {
  readonly type: 'machine-learning-model' | 'data';
  readonly group?: string;
  readonly name: string;
  /** The commit. */
  readonly version: string;
  readonly purl: string;
}

/** A licence as the README of a repository declares it. */
interface License {
  readonly license: {
    readonly id?: string;
    readonly name?: string;
    readonly acknowledgement: 'declared';
  };
}

/** A model or dataset at a commit. */
interface RepoComponent extends Identity {
  readonly 'bom-ref': string;
  readonly licenses?: readonly License[];
  readonly externalReferences: readonly { readonly type: string; readonly url: string }[];
  readonly pedigree?: { readonly ancestors: readonly Identity[] };
  readonly components: readonly FileComponent[];
}

/** A document of CycloneDX (cyclonedx.org/docs): the parts of it that a lock tells. */
export interface Sbom {
  readonly $schema: string;
  readonly bomFormat: 'CycloneDX';
  readonly specVersion: SpecVersion;
  readonly version: 1;
  /** Sorted by `bom-ref`. */
  readonly components: readonly RepoComponent[];
  /** One for each component, in the same order. */
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

/**
 * The software bill of materials of a lock: a component for each repository at a commit, with its
 * files. It has no serial number and no time, so that equal locks give equal documents.
 *
 * @param entries of the lock, with all that they need
 */
export function createSbom(
  lock: Lock,
  entries: readonly NamedEntry[],
  specVersion: SpecVersion,
): Sbom {
  const endpoint = (lock.endpoint ?? DEFAULT_ENDPOINT).replace(/\/+$/u, '');
  const index = createNeedIndex(lock);
  const refOf = ({ type, entry: { repo, rev } }: NamedEntry) =>
    purlOf({ type, repo, rev, endpoint });

  /** What entries of one commit need, by package URL, without that commit itself. */
  const neededBy = (same: NonEmpty<NamedEntry>, isCounted = (_by: string) => true) => {
    const found = same.flatMap(({ entry }) =>
      index.edges(entry).flatMap((edge) => (isCounted(edge.need.by) ? edge.found : [])),
    );
    const others = [...groupBy(found, refOf)].filter(([ref]) => ref !== refOf(same[0]));
    return others.toSorted(([a], [b]) => byCodeUnit(a, b));
  };

  const componentOf = (ref: string, same: NonEmpty<NamedEntry>): RepoComponent => {
    const [{ type, entry }] = same;
    const ancestors = neededBy(same, (by) => ADAPTER_CONFIG.test(by)).map(([purl, [base]]) =>
      identityOf(base, purl),
    );
    const licenses = licensesOf(same.find((one) => one.entry.license !== undefined)?.entry);
    const page = repoPage(endpoint, type, entry.repo);
    return {
      'bom-ref': ref,
      ...identityOf(same[0], ref),
      ...(licenses.length === 0 ? {} : { licenses }),
      externalReferences: [
        { type: 'vcs', url: page },
        { type: 'distribution', url: `${page}/tree/${entry.rev}` },
      ],
      ...(ancestors.length === 0 ? {} : { pedigree: { ancestors } }),
      components: filesOf(same),
    };
  };

  const commits = [...groupBy(entries, refOf)].toSorted(([a], [b]) => byCodeUnit(a, b));
  return {
    $schema: `http://cyclonedx.org/schema/bom-${specVersion}.schema.json`,
    bomFormat: 'CycloneDX',
    specVersion,
    version: 1,
    components: commits.map(([ref, same]) => componentOf(ref, same)),
    dependencies: commits.map(([ref, same]) => ({
      ref,
      dependsOn: neededBy(same).map(([needed]) => needed),
    })),
  };
}

function identityOf({ type, entry: { repo, rev } }: NamedEntry, purl: string): Identity {
  const [name = repo, group] = repo.split('/').toReversed();
  return {
    type: type === 'dataset' ? 'data' : 'machine-learning-model',
    ...(group === undefined ? {} : { group }),
    name,
    version: rev,
    purl,
  };
}

/** The licences of an entry, each once; `other` by the name that the README gives it. */
function licensesOf({ license = [], licenseName }: Partial<LockedEntry> = {}): License[] {
  const declared = license.map((id) => {
    const spdxId = spdxIdOf(id);
    if (spdxId !== undefined) return { id: spdxId };
    return { name: id.toLowerCase() === 'other' ? (licenseName ?? id) : id };
  });
  const once = groupBy(declared, ({ id, name }) => id ?? name);
  return [...once.values()].map(([known]) => ({
    license: { ...known, acknowledgement: 'declared' },
  }));
}

/** The files of entries of one commit, each once, sorted by path. */
function filesOf(same: readonly NamedEntry[]): FileComponent[] {
  const files = new Map<string, LockedFile>(same.flatMap(({ entry }) => [...entry.files]));
  return [...files]
    .toSorted(([a], [b]) => byCodeUnit(a, b))
    .map(([name, { hash, oid, lfs }]) => ({
      type: 'file',
      name,
      hashes: [{ alg: 'SHA-256', content: hexOfSri(hash) }],
      ...(lfs === true ? {} : { swhid: [`swh:1:cnt:${oid}`] }),
    }));
}
