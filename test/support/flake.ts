import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, realpath, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import type { Ended } from './ended.ts';
import { type Nix, NIXPKGS, NIXPKGS_LIB, nixString } from './nix.ts';

/** This repository as a flake, with the stand-in for its nixpkgs, where Nix can name them. */
export interface PlacedFlake {
  /** Address of the flake. */
  readonly address: string;
  /** Folder of the flake, a copy that a test may change. */
  readonly folder: string;
  /** Options that put the stand-in in the place of nixpkgs; `input` is the path to this flake. */
  readonly overrides: (input?: string) => readonly string[];
  /** Runs `nix` in a folder, with flakes and with what builders need for the package registry. */
  readonly nixIn: (folder: string, ...args: readonly string[]) => Promise<Ended>;
}

const exec = promisify(execFile);
const REPOSITORY = path.join(import.meta.dirname, '..', '..');

/** What the flake consists of; a part that it names and that is missing here fails the tests. */
const PARTS = [
  'default.nix',
  'examples',
  'flake.lock',
  'flake.nix',
  'nix',
  'package-lock.json',
  'package.json',
  'package.nix',
  'schemas',
  'scripts',
  'src',
  'tsconfig.json',
];

/** Copies the flake and the stand-in to the folder of a Nix. */
export async function placeFlake(nix: Nix, name = 'nix-hug'): Promise<PlacedFlake> {
  const folder = path.join(nix.folder, name);
  const nixpkgs = path.join(nix.folder, `${name}-nixpkgs`);
  await Promise.all([
    ...PARTS.map((part) =>
      cp(path.join(REPOSITORY, part), path.join(folder, part), { recursive: true }),
    ),
    placeNixpkgs(nix, nixpkgs),
  ]);
  const environment = await registryEnvironment(nix);
  const features = ['--extra-experimental-features', 'nix-command flakes'];
  return {
    address: `path:${folder}`,
    folder,
    overrides: (input) => [
      '--no-write-lock-file',
      ...(input === undefined ? [] : ['--override-input', input, `path:${folder}`]),
      '--override-input',
      input === undefined ? 'nixpkgs' : `${input}/nixpkgs`,
      `path:${nixpkgs}`,
    ],
    nixIn: (cwd, ...args) => nix.run('env', '-C', cwd, ...environment, 'nix', ...features, ...args),
  };
}

/**
 * Builds the package, or one of its attributes, without flakes.
 *
 * @param attribute such as `dependencies`
 * @param options further options for `nix-build`
 */
export async function buildPackage(
  nix: Nix,
  attribute?: string,
  options: readonly string[] = [],
): Promise<string> {
  const nixpkgs = path.join(nix.folder, 'nixpkgs');
  if (!existsSync(nixpkgs)) await placeNixpkgs(nix, nixpkgs);
  const file = path.join(REPOSITORY, 'package.nix');
  const expression = `((import ${nixString(nixpkgs)} { }).callPackage ${nixString(file)} { })`;
  const { status, stdout, stderr } = await nix.run(
    'env',
    ...(await registryEnvironment(nix)),
    'nix-build',
    '--no-out-link',
    ...options,
    '--expr',
    attribute === undefined ? expression : `${expression}.${attribute}`,
  );
  if (status !== 0) throw new Error(stderr);
  return stdout.trim();
}

/** Copies the stand-in. The root of the current Nix has no Node.js, and gets that of this machine. */
async function placeNixpkgs(nix: Nix, folder: string): Promise<void> {
  await cp(NIXPKGS, folder, { recursive: true });
  if (NIXPKGS_LIB !== undefined) {
    await cp(NIXPKGS_LIB, path.join(folder, 'nixpkgs-lib'), { recursive: true });
  }
  if (nix.kind === 'system') return;
  const host = path.join(nix.folder, 'host');
  if (!existsSync(host)) await placeNode(host);
  await writeFile(path.join(folder, 'host-path'), `${path.join(host, 'bin')}:/usr/bin:/bin`);
}

async function placeNode(host: string): Promise<void> {
  const { stdout } = await exec('which', ['npm']);
  const program = await realpath(stdout.trim());
  const npm = path.join(host, 'npm');
  const bin = path.join(host, 'bin');
  await mkdir(bin, { recursive: true });
  await cp(path.dirname(path.dirname(program)), npm, { recursive: true });
  await symlink(path.join(npm, 'bin', path.basename(program)), path.join(bin, 'npm'));
  await cp(process.execPath, path.join(bin, 'node'));
}

/** How this machine reaches the package registry, as arguments of `env`: no sandbox hides it. */
async function registryEnvironment(nix: Nix): Promise<readonly string[]> {
  const { stdout } = await exec('npm', ['config', 'get', 'registry']);
  const registry = `npm_config_registry=${stdout.trim()}`;
  const certificates = process.env['NODE_EXTRA_CA_CERTS'];
  if (certificates === undefined) return [registry];
  const copy = path.join(nix.folder, 'certificates.pem');
  await cp(certificates, copy);
  return [registry, `NODE_EXTRA_CA_CERTS=${copy}`];
}
