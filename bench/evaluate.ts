import { cp, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { formatLock } from '../src/lock/codec.ts';
import { LOCKFILE_VERSION, type Lock, type LockedFile } from '../src/lock/schema.ts';
import { lockedEntry, lockedFile, lockOf } from '../test/support/locks.ts';
import { createNix, type NixKind } from '../test/support/nix.ts';
import {
  type BenchOptions,
  type Build,
  compare,
  type Comparison,
  type Contender,
  contendersOf,
  ROOT,
} from './compare.ts';

const SHAPES = [
  { models: 1, files: 20 },
  { models: 100, files: 20 },
  { models: 1_000, files: 20 },
  { models: 1, files: 20_000 },
];

/** Every derivation of a lock, by the library in a folder; and by a loop without any check. */
const LIBRARY = (lock: string, library: string) => `
  let
    pkgs = import ${ROOT}/test/support/nixpkgs-stand-in { };
    hug = (import ${library} { inherit pkgs; }).importLock ${lock};
  in
  map (model: model.outPath) (builtins.attrValues hug.models)`;
const BARE = (lock: string) => `
  let
    pkgs = import ${ROOT}/test/support/nixpkgs-stand-in { };
    lock = builtins.fromJSON (builtins.readFile ${lock});
    file = entry: path: { hash, ... }: lane: derivation (lane // rec {
      name = baseNameOf path;
      url = "https://huggingface.co/\${entry.repo}/resolve/\${entry.rev}/\${path}";
      urls = [ url ];
      outputHash = hash;
      outputHashAlgo = "sha256";
      outputHashMode = "flat";
      builder = "builtin:fetchurl";
      system = "builtin";
      executable = false;
      unpack = false;
      preferLocalBuild = true;
      impureEnvVars = [ "http_proxy" "https_proxy" "ftp_proxy" "all_proxy" "no_proxy" ];
    });
    # From 64 files on, each waits for the one 16 places before it.
    link = entry: paths:
      let
        count = builtins.length paths;
        laneOf = i: if count < 64 || i < 16 then { } else { previous = builtins.elemAt files (i - 16); };
        fileAt = i: let path = builtins.elemAt paths i; in file entry path entry.files.\${path} (laneOf i);
        files = builtins.genList fileAt count;
      in
      builtins.genList (i: "\${builtins.elemAt files i}\\n\${builtins.elemAt paths i}\\n") count;
    model = entry: derivation {
      name = baseNameOf entry.repo;
      system = pkgs.bash.system;
      builder = "\${pkgs.bash}/bin/bash";
      args = [ "-c" "exit 1" ];
      PATH = "\${pkgs.coreutils}/bin";
      passAsFile = [ "links" ];
      links = builtins.concatStringsSep "" (link entry (builtins.attrNames entry.files));
    };
  in
  map (entry: (model entry).outPath) (builtins.attrValues lock.models)`;

/** Evaluation of locks beside a bare loop that makes the same derivations, on both versions of Nix. */
export async function* benchEvaluate(options: BenchOptions): AsyncGenerator<Comparison> {
  for (const kind of ['system', 'current'] as const) {
    for (const shape of SHAPES) yield await evaluate(kind, shape, options);
  }
}

async function evaluate(
  kind: NixKind,
  { models, files }: { models: number; files: number },
  { rounds, builds, isAgainst }: BenchOptions,
): Promise<Comparison> {
  const nix = await createNix(kind);
  try {
    const work = path.join(nix.folder, 'work');
    await mkdir(work);
    const lock = path.join(work, 'hug.lock.json');
    // Version 1 is what every build reads.
    await writeFile(lock, lockText(models, files, isAgainst ? 1 : LOCKFILE_VERSION));
    // The root of the other Nix sees this folder, and not every checkout.
    const libraryOf = ({ label }: Build) => path.join(work, `library${label}`);
    for (const build of builds) {
      await cp(path.join(build.folder, 'nix'), libraryOf(build), { recursive: true });
    }
    const evaluation =
      (name: string, expression: string): Contender['prepare'] =>
      async () => {
        const file = path.join(work, `${name}.nix`);
        await writeFile(file, expression);
        const argv = nix.commandLine('nix-instantiate', '--eval', '--strict', '--json', file);
        return { argv, env: nix.environment };
      };
    const title = `evaluation of ${models} × ${files} files, Nix ${nix.version}`;
    return await compare({ title, rounds }, [
      { name: 'bare loop', prepare: evaluation('loop', BARE(lock)) },
      ...contendersOf(builds, 'nix-hug', (build) =>
        evaluation(`nix-hug${build.label}`, LIBRARY(lock, libraryOf(build))),
      ),
    ]);
  } finally {
    await nix.close();
  }
}

function lockText(models: number, files: number, lockfileVersion: Lock['lockfileVersion']): string {
  const entries = Array.from({ length: models }, (_, model) => {
    const all = Array.from({ length: files }, (_unused, index): [string, LockedFile] => [
      `part/file-${index}.safetensors`,
      lockedFile(`${model}-${index}`, { lfs: true }),
    ]);
    return [`m${model}`, lockedEntry({ repo: `org/m${model}`, files: new Map(all) })] as const;
  });
  return formatLock({ ...lockOf(Object.fromEntries(entries)), lockfileVersion });
}
