// A program that uses the installed package, for npm.test.ts: it locks a manifest by itself, and
// prints what `nix-hug lock` would write.
import { readFile } from 'node:fs/promises';
import {
  createHttp,
  createHubApi,
  createPlainHashes,
  diffLocks,
  driftOf,
  EMPTY_LOCK,
  formatLock,
  HugError,
  type Lock,
  type LockedEntry,
  parseLock,
  parseManifest,
  resolveEntry,
} from 'nix-hug';

const [endpoint = ''] = process.argv.slice(2);
const manifest = parseManifest(await readFile('hug.yaml', 'utf8'), 'hug.yaml');
const hub = createHubApi(createHttp({ endpoint, userAgent: 'consumer/1.0' }));
const hashes = createPlainHashes([]);

const locked = new Map<string, LockedEntry>();
for (const wanted of driftOf(manifest, EMPTY_LOCK).stale) {
  const { entry } = await resolveEntry(wanted, {
    hub,
    now: Date.now(),
    hashes,
    report: () => undefined,
  });
  locked.set(wanted.name, entry);
}
await hub.close();

const lock: Lock = { ...EMPTY_LOCK, models: locked };
const text = formatLock(lock);
let refusal = '';
try {
  parseLock('{', 'broken.lock.json');
} catch (error) {
  if (error instanceof HugError) refusal = error.code;
}
process.stdout.write(
  JSON.stringify({
    text,
    added: diffLocks(EMPTY_LOCK, parseLock(text, 'hug.lock.json')).map(({ name }) => name),
    refusal,
  }),
);
