import { nixString } from '../quote.ts';
import { READS_ANY_FILE, type RunTool } from './nix-tool.ts';

/** A nixpkgs that was found. */
export interface Nixpkgs {
  /** Nix expression of the package set. */
  readonly expression: string;
  /** Arguments of Nix that evaluating it needs. */
  readonly options: readonly string[];
}

const FLAKES = ['--option', 'extra-experimental-features', 'nix-command flakes'] as const;
const REGISTRY = '(builtins.getFlake "nixpkgs").legacyPackages.${builtins.currentSystem}';

/**
 * Finds a nixpkgs: the one that the packaged nix-hug was built with, else `<nixpkgs>`, else that of
 * the flake registry, which Nix may have to download.
 *
 * @param packaged path of the first one
 * @param offline leaves the registry out
 * @returns `undefined` when Nix finds none
 */
export async function findNixpkgs(
  run: RunTool,
  { packaged, offline }: { packaged: string | undefined; offline: boolean },
): Promise<Nixpkgs | undefined> {
  const paths =
    packaged === undefined ? ['<nixpkgs>'] : [`(/. + ${nixString(packaged)})`, '<nixpkgs>'];
  const candidates: Nixpkgs[] = [
    ...paths.map((path) => ({ expression: `import ${path} { }`, options: [] })),
    ...(offline ? [] : [{ expression: REGISTRY, options: FLAKES }]),
  ];
  for (const candidate of candidates) {
    const probe = `builtins.isString (${candidate.expression}).bash.name`;
    const args = ['--eval', ...READS_ANY_FILE, ...candidate.options, '--expr', probe];
    const isThere = await run('nix-instantiate', args).then(
      () => true,
      () => false,
    );
    if (isThere) return candidate;
  }
  return undefined;
}

/**
 * Builds an expression and returns its store path.
 *
 * @param outLink link that keeps the result from the garbage collector
 */
export async function build(
  run: RunTool,
  expression: string,
  options: readonly string[],
  outLink: string | undefined,
): Promise<string> {
  const link = outLink === undefined ? ['--no-out-link'] : ['--out-link', outLink];
  const args = [...READS_ANY_FILE, ...options, ...link, '--expr', expression];
  const printed = await run('nix-build', args);
  return printed.trim();
}
