// Writes what a user sees into the README: the built command line in a real terminal (tmux), with a
// Hub on loopback and a Nix store of its own.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Hub, lfs, startHub } from '../test/support/hub/index.ts';
import { createNix } from '../test/support/nix.ts';
import { openTerminal } from '../test/support/terminal.ts';

const ROOT = path.join(import.meta.dirname, '..');
const README = path.join(ROOT, 'README.md');
const RECORDED = /(?<=<!-- Recorded by `npm run screens`. -->\n\n```console\n)[^]*?(?=```\n)/u;
const PYTHON = path.join(ROOT, '.cache/python/newest/bin/python');
/** Right for every Hub on loopback, and for no other. */
const OTHER_HUB = /^warning: locked from [^]*?to change that\n/mu;
const MEGABYTE = 1_000_000;

/** A program that loads a model, and shows that it is offline. */
const PROGRAM = `import os
from huggingface_hub import snapshot_download
folder = snapshot_download("mistralai/Mistral-7B-Instruct-v0.3")
print(len(os.listdir(folder)), "files, offline:", os.environ["HF_HUB_OFFLINE"])
`;

async function createRepositories(hub: Hub): Promise<void> {
  const weights = (name: string, megabytes: number) =>
    [name, lfs(Buffer.alloc(megabytes * MEGABYTE, name))] as const;
  const shards = [1, 2, 3].map((shard) => weights(`model-0000${shard}-of-00003.safetensors`, 12));
  const repositories = [
    ['model', 'mistralai/Mistral-7B-Instruct-v0.3', [...shards, weights('pytorch_model.bin', 36)]],
  ] as const;
  for (const [type, id, files] of repositories) {
    const repository = await hub.createRepo({ type, id });
    await repository.commit({ files: { 'config.json': '{}\n', ...Object.fromEntries(files) } });
  }
}

const hub = await startHub();
await createRepositories(hub);
const nix = await createNix();
const project = path.join(nix.folder, 'project');
await mkdir(project);
await writeFile(path.join(project, 'load.py'), PROGRAM);

const terminal = await openTerminal({
  command: ['bash', '--norc', '--noprofile'],
  cwd: project,
  env: {
    ...nix.environment,
    PATH: `${path.dirname(PYTHON)}:${process.env['PATH']}`,
    HF_ENDPOINT: hub.endpoint,
    PS1: '$ ',
  },
  columns: 100,
});
const bin = path.join(ROOT, 'dist', 'launch.cjs');
await terminal.press(`nix-hug() { '${process.execPath}' '${bin}' "$@"; }; clear`, 'Enter');
await terminal.until(/^\$$/u);

/** Runs a command to its end and returns what is on the screen, without the next prompt. */
async function shown(command: string): Promise<string> {
  await terminal.press(command, 'Enter');
  const screen = await terminal.until(/\n\$$/u);
  await terminal.press('clear', 'Enter');
  await terminal.until(/^\$$/u);
  return screen.replace(/\n\$$/u, '\n');
}

const begun = await shown('nix-hug init');
const added = await shown(
  'nix-hug add mistralai/Mistral-7B-Instruct-v0.3 --name mistral --format safetensors',
);
const slow = { kind: 'slow', bytesPerSecond: 4 * MEGABYTE } as const;
hub.inject({ match: ({ origin }) => origin === 'cdn', times: Infinity, fault: slow });
await terminal.press('nix-hug run -- python load.py', 'Enter');
const underWay = await terminal.until(
  / [12]\d(?:\.\d)? MB of 36 MB .* left\n(?: {2}.* left\n?){3}/u,
);
await terminal.until(/offline: 1\n\$$/u);
const ran = (await terminal.screen()).replace(/\n\$$/u, '\n');
await terminal.press('clear', 'Enter');
await terminal.until(/^\$$/u);
const listed = await shown('nix-hug ls');

const parts = [begun, added, `${underWay}\n\n# and when it is done\n`, ran, listed];
const record = parts.map((part) => part.replace(OTHER_HUB, '')).join('');
const readme = await readFile(README, 'utf8');
await writeFile(
  README,
  readme.replace(RECORDED, () => record),
);

await terminal.close();
await nix.close();
await hub.close();
