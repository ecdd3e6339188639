import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ended } from '../support/ended.ts';
import { type Hub, lfs, startHub } from '../support/hub/index.ts';
import { injectAlways } from '../support/inject.ts';
import { describeNix, LIBRARY, nixString, PKGS } from '../support/nix.ts';
import { runCli } from '../support/run-cli.ts';
import { messagesOf, patternOf } from '../support/troubleshooting.ts';

// Each message of Nix in docs/troubleshooting.md, as Nix prints it. `make test-compat` runs this with
// the current Nix, too.

/** Of a file that git does not know, by newer and by older versions. */
const UNTRACKED: readonly [string, string] = [
  "Path 'hug.lock.json' in the repository … is not tracked by Git",
  "hug.lock.json': No such file or directory",
];

let hub: Hub;

beforeAll(async () => {
  hub = await startHub();
  hub.addToken('hf_known');
  const files = { 'config.json': '{}\n', 'pytorch_model.bin': lfs('weights') };
  await (await hub.createRepo({ type: 'model', id: 'org/name' })).commit({ files });
  const gated = await hub.createRepo({ type: 'model', id: 'org/gated', gated: 'manual' });
  await gated.commit({ files: { 'model.safetensors': lfs('gated') } });
});
afterAll(() => hub.close());

describeNix('Nix says', (nix) => {
  let lock: string;
  beforeAll(async () => {
    await writeFile(
      path.join(nix().folder, 'hug.yaml'),
      'models: { m: org/name, gated: org/gated }\n',
    );
    const env = { HF_ENDPOINT: hub.endpoint, HF_TOKEN: 'hf_known' };
    expect(await runCli(['lock'], { cwd: nix().folder, env })).toMatchObject({ status: 0 });
    lock = nixString(path.join(nix().folder, 'hug.lock.json'));
  });

  const library = (endpoint = hub.endpoint) =>
    `(${LIBRARY} { pkgs = ${PKGS}; endpoint = "${endpoint}"; })`;
  const imported = (endpoint?: string) => `(${library(endpoint)}.importLock ${lock})`;
  const evaluationError = (expression: string) => nix().evaluationError(expression);
  /** What a build that fails prints, with one try for each download. */
  const buildError = async (expression: string, limit = '') => {
    const build = ['--no-out-link', '--option', 'download-attempts', '1', '--expr'];
    const [command = '', ...args] = nix().commandLine('nix-build', ...build, expression);
    const script = `${limit}\nexec "$0" "$@"`;
    const child = spawn('bash', ['-c', script, command, ...args], {
      env: nix().environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const { status, stderr } = await ended(child);
    expect(status).not.toBe(0);
    return stderr;
  };

  /** What produces the messages of the page; the keys are these messages. */
  const producers: Readonly<Record<string, () => Promise<string>>> = {
    'HTTP error 401': () => buildError(`${imported()}.models.gated`),
    "unable to download '…'": () => buildError(`${imported('http://127.0.0.1:9')}.models.m`),
    "hash mismatch in fixed-output derivation '…'": () => {
      injectAlways(hub, '/resolve/', { kind: 'html' });
      return buildError(`${imported()}.models.m`);
    },
    [UNTRACKED[0]]: () => untracked(),
    [UNTRACKED[1]]: () => untracked(),
    'lockfileVersion … is newer than this nix-hug': () =>
      evaluationError(`(${library()}.importLock { lockfileVersion = 3; }).models`),
    "attribute '…' missing": () => evaluationError(`${imported()}.models.other`),
    'nix-hug: the lock breaks the policy:': () =>
      evaluationError(
        `(${library()}.importLock { lock = ${lock}; policy.formats = "safe"; }).models.m.outPath`,
      ),
    'buildCache: ref … of … is … in …, but … in …': () =>
      evaluationError(`
        let
          read = builtins.fromJSON (builtins.readFile ${lock});
          moved = read // {
            models = { other = read.models.m // { rev = "${'a'.repeat(40)}"; }; };
          };
          models = [ ${imported()}.models.m (${library()}.importLock moved).models.other ];
        in (${library()}.buildCache { inherit models; }).outPath`),
    'Too many open files': () => {
      const names = Array.from({ length: 200 }, (_, index) => `"${index}"`);
      const fetch = `import ${nixString(path.join(import.meta.dirname, '../../nix/fetch-file.nix'))}`;
      const hash = `sha256-${Buffer.alloc(32).toString('base64')}`;
      const files = `builtins.listToAttrs (map (name: { inherit name; value = ${fetch} {
        name = "file-\${name}"; url = "${hub.endpoint}/\${name}"; hash = "${hash}";
      }; }) [ ${names.join(' ')} ])`;
      return buildError(`${library()}.linkTree (${files})`, 'ulimit -n 64');
    },
    "experimental Nix feature 'nix-command' is disabled": async () =>
      (await nix().run('nix', 'build', '--file', '.')).stderr,
  };

  /** What `nix eval` says of a flake that reads a lock that git does not know. */
  const untracked = async () => {
    const folder = path.join(nix().folder, 'flake');
    await mkdir(folder, { recursive: true });
    const flake = '{ outputs = _: { x = builtins.readFile ./hug.lock.json; }; }\n';
    await writeFile(path.join(folder, 'flake.nix'), flake);
    await writeFile(path.join(folder, 'hug.lock.json'), '{}\n');
    for (const args of [
      ['init', '-q'],
      ['add', 'flake.nix'],
    ]) {
      const git = spawn('git', ['-C', folder, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
      expect(await ended(git)).toMatchObject({ status: 0 });
    }
    const features = ['--extra-experimental-features', 'nix-command flakes'];
    return (await nix().run('nix', ...features, 'eval', `${folder}#x`)).stderr;
  };

  it('all messages of the page', () => {
    expect(Object.keys(producers)).toEqual(messagesOf('nix'));
  });

  for (const [message, produce] of Object.entries(producers)) {
    it(message, async ({ skip }) => {
      const text = await produce();
      const [other = '', more] = UNTRACKED.filter((each) => each !== message);
      if (more === undefined && patternOf(other).test(text)) {
        skip(`Nix ${nix().version} says it otherwise`);
      }
      expect(text).toMatch(patternOf(message));
    });
  }
});
