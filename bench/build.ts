import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createNix, LIBRARY, type NixKind, nixString, PKGS } from '../test/support/nix.ts';
import { serveWide, wideLockText } from '../test/support/wide-lock.ts';
import { type BenchOptions, compare, type Comparison, type Contender } from './compare.ts';

/** Files of one model. */
const COUNTS = [1_200, 5_000];
const KINDS: readonly NixKind[] = ['system', 'current'];

/** `nix build` of one model with many files, nothing present, under the usual limit of open files. */
export async function* benchBuild({ isAgainst }: BenchOptions): AsyncGenerator<Comparison> {
  if (isAgainst) return;
  const server = await serveWide();
  try {
    for (const files of COUNTS) {
      yield await compare(
        { title: `\`nix build\` of a model of ${files} files`, rounds: 1 },
        KINDS.map((kind) => building(kind, files, server.endpoint)),
      );
    }
  } finally {
    server.close();
  }
}

const building = (kind: NixKind, files: number, endpoint: string): Contender => ({
  name: `nix build, ${kind === 'system' ? "Debian's Nix" : 'current Nix'}`,
  prepare: async () => {
    const nix = await createNix(kind);
    const lock = path.join(nix.folder, 'hug.lock.json');
    await writeFile(lock, wideLockText(1, files, endpoint));
    const file = path.join(nix.folder, 'wide.nix');
    const hug = `(${LIBRARY} { pkgs = ${PKGS}; }).importLock ${nixString(lock)}`;
    await writeFile(file, `(${hug}).models.m0`);
    const build = nix.commandLine('nix-build', file, '--out-link', path.join(nix.folder, 'result'));
    return {
      argv: ['bash', '-c', 'ulimit -Sn 1024; exec "$@"', '-', ...build],
      env: nix.environment,
      cleanUp: () => nix.close(),
    };
  },
});
