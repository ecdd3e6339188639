// Locks the examples anew against repositories that the test hub makes.
import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { createExampleRepos } from '../test/support/example-repos.ts';
import { startHub } from '../test/support/hub/index.ts';
import { runCli } from '../test/support/run-cli.ts';

const examples = new URL('../examples/', import.meta.url);
const hub = await startHub();
await createExampleRepos(hub);
for (const name of await readdir(examples)) {
  const cwd = fileURLToPath(new URL(name, examples));
  const { stdout, stderr } = await runCli(['lock'], { cwd, env: { HF_ENDPOINT: hub.endpoint } });
  process.stdout.write(`${name}\n${stdout}${stderr}`);
}
await hub.close();
