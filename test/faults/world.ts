import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { ERROR_CODES, type ErrorCode } from '../../src/errors.ts';
import { type Hub, lfs, startHub } from '../support/hub/index.ts';
import { createProject, type Project } from '../support/project.ts';
import type { CliRun, CliWorld } from '../support/run-cli.ts';
import { type Places, type Plan, TOKEN } from './plan.ts';

/** What may go wrong when a Hub or the network does; never a defect, a full disk or Nix. */
const EXPECTED: ReadonlySet<string> = new Set<ErrorCode>([
  'EHUG_DEPENDENCY',
  'EHUG_DISABLED',
  'EHUG_FILE_NOT_FOUND',
  'EHUG_FORBIDDEN',
  'EHUG_GATED',
  'EHUG_HUB',
  'EHUG_INTEGRITY',
  'EHUG_NETWORK',
  'EHUG_NOT_SERVED',
  'EHUG_PROTOCOL',
  'EHUG_RATE_LIMIT',
  'EHUG_REPO_AMBIGUOUS',
  'EHUG_REPO_NOT_FOUND',
  'EHUG_REPO_REPLACED',
  'EHUG_REVISION_NOT_FOUND',
  'EHUG_SELECTION',
  'EHUG_TOKEN',
  'EHUG_UNSAFE_PATH',
  'EHUG_VERSION',
]);

/** Milliseconds after which a run counts as one that does not end; the longest take some seconds. */
const MAX_RUN = 45_000;

/** A hub with faults, and an origin that it may redirect to. */
export interface FaultyWorld {
  readonly hub: Hub;
  /** An earlier commit than that of the branch, by repository. */
  readonly revisions: { readonly tiny: string };
  /** What commands get: a token, short time-outs and little patience. */
  readonly surroundings: Pick<CliWorld, 'env' | 'retry'>;
  /** How many runs there were, and how many of them met a fault. */
  readonly tally: { readonly runs: number; readonly struck: number };
  /**
   * Runs a command while the faults of a plan happen, and checks what must hold for every command:
   * it ends by itself in success or an error that was foreseen, and the token is seen by nobody but
   * the hub.
   */
  readonly underFaults: (
    plan: Plan,
    run: (signal: AbortSignal) => Promise<CliRun>,
  ) => Promise<Outcome>;
}

/** How a run under faults ended. */
interface Outcome {
  readonly ok: boolean;
  /** Whether an answer was given that may be true of another repository. */
  readonly wasLiedTo: boolean;
  readonly run: CliRun;
}

/** The manifest that the hub answers. */
export const MANIFEST = `models:
  tiny: tiny
  tagged: { repo: org/tagged, version: ^1.0 }
  lora: org/lora
  part: { repo: org/tiny, include: ["*.safetensors"], exclude: ["extra*"] }
datasets:
  rows: org/rows
  wide: org/wide
`;

/** Starts the servers before the tests of a file, and ends them after. */
export function useFaultyWorld(): () => FaultyWorld {
  let world: FaultyWorld | undefined;
  const endings: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    const hub = await startHub({ pageSize: 4 });
    endings.push(() => hub.close());
    hub.addToken(TOKEN);
    const revisions = await fill(hub);
    const work = await mkdtemp(path.join(tmpdir(), 'faulty-'));
    endings.push(() => rm(work, { recursive: true }));
    const packs = path.join(work, 'nix-hug/git');
    endings.push(async () => expect(await readdir(packs).catch(() => [])).toEqual([]));
    const foreign = await startForeign(() => hub.endpoint);
    endings.push(() => foreign.close());
    world = createWorld(hub, foreign, revisions, work);
  });
  afterAll(async () => {
    for (const end of endings.toReversed()) await end();
    const { runs, struck } = world?.tally ?? { runs: 0, struck: 0 };
    expect(struck, `of ${runs} runs so many met a fault`).toBeGreaterThanOrEqual(runs / 2);
  });
  return () => {
    if (world === undefined) throw new Error('The world is there within tests only');
    return world;
  };
}

/** Checks that a project has no temporary file. */
export async function assertTidy({ folder }: Project): Promise<void> {
  expect(['hug.lock.json', 'hug.yaml']).toEqual(expect.arrayContaining(await readdir(folder)));
}

const locks = new Map<string, string>();

/** The text of a manifest's lock where nothing goes wrong. */
export async function lockOf({ hub, surroundings }: FaultyWorld, manifest: string) {
  const known = locks.get(manifest);
  if (known !== undefined) return known;
  const project = await createProject(hub.endpoint, manifest);
  const { status, stderr } = await project.run(['lock'], surroundings);
  if (status !== 0) throw new Error(stderr);
  const text = (await project.lockText()) ?? '';
  locks.set(manifest, text);
  return text;
}

async function fill(hub: Hub): Promise<FaultyWorld['revisions']> {
  const tiny = await hub.createRepo({ type: 'model', id: 'org/tiny', aliases: ['tiny'] });
  const first = { 'config.json': '{}', 'model.safetensors': lfs('first weights') };
  const revisions = { tiny: await tiny.commit({ files: first }) };
  await tiny.commit({
    files: {
      '.gitattributes': '*.safetensors filter=lfs\n',
      'config.json': '{ "tiny": true }\n',
      'empty.txt': '',
      'sub/größe & co.csv': 'a,b\n'.repeat(2000),
      'extra.safetensors': lfs.generated({ size: 3000, seed: 'extra' }),
      'model.safetensors': lfs.generated({ size: 200_000, seed: 'model' }),
    },
  });
  const tagged = await hub.createRepo({ type: 'model', id: 'org/tagged' });
  const files = { 'config.json': '{}', 'w.bin': lfs('weights of the tag') };
  await tagged.tag('1.0.0', await tagged.commit({ files: { 'config.json': '{ "old": true }' } }));
  await tagged.tag('v1.2.0', await tagged.commit({ files }), { annotated: true });
  const rows = await hub.createRepo({ type: 'dataset', id: 'org/rows', gated: 'manual' });
  await rows.commit({ files: { 'README.md': '# rows\n', 'train.parquet': lfs('rows') } });
  const wide = await hub.createRepo({ type: 'dataset', id: 'org/wide' });
  const lines = Array.from({ length: 12 }, (_, index) => [`${index}.txt`, `${index}\n`] as const);
  await wide.commit({ files: lines });
  const base = await hub.createRepo({ type: 'model', id: 'org/base' });
  await base.commit({ files: { 'config.json': '{ "base": true }', 'w.safetensors': lfs('base') } });
  const lora = await hub.createRepo({ type: 'model', id: 'org/lora' });
  const adapter = JSON.stringify({ base_model_name_or_path: 'org/base' });
  await lora.commit({ files: { 'adapter_config.json': adapter, 'a.safetensors': lfs('adapter') } });
  const other = await hub.createRepo({ type: 'model', id: 'org/other' });
  await other.commit({ files: { 'config.json': '{ "other": true }' } });
  return revisions;
}

function createWorld(
  hub: Hub,
  foreign: Foreign,
  revisions: FaultyWorld['revisions'],
  work: string,
): FaultyWorld {
  const places: Places = { endpoint: hub.endpoint, cdn: hub.cdnOrigin, foreign: foreign.origin };
  const tally = { runs: 0, struck: 0 };
  return {
    hub,
    revisions,
    tally,
    surroundings: {
      env: {
        HF_ENDPOINT: hub.endpoint,
        HF_TOKEN: TOKEN,
        PATH: process.env['PATH'],
        XDG_CACHE_HOME: work,
        HF_HUB_ETAG_TIMEOUT: '0.25',
        HF_HUB_DOWNLOAD_TIMEOUT: '0.25',
      },
      retry: { retries: 2, baseMs: 1, longestWaitMs: 100 },
    },
    async underFaults({ steps }, run) {
      hub.clearRequests();
      foreign.clear();
      const injected = steps.map(({ fault, ...rule }) => ({
        ...rule,
        injection: hub.inject({ ...rule, fault: fault(places) }),
      }));
      const signal = AbortSignal.timeout(MAX_RUN);
      const result = await run(signal);
      for (const { injection } of injected) injection.remove();
      tally.runs += 1;
      if (injected.some(({ injection }) => injection.hits > 0)) tally.struck += 1;
      expect(signal.aborted, 'the run had to be ended').toBe(false);
      assertForeseen(result);
      assertTokenAtHome(result, hub, foreign);
      return {
        run: result,
        ok: result.status === 0,
        wasLiedTo: injected.some(({ isPlausible, injection }) => isPlausible && injection.hits > 0),
      };
    },
  };
}

/** `--json` is asked for, so that every way to end is one document. */
function assertForeseen({ status, json, stdout, stderr }: CliRun): void {
  if (status === 0) {
    json();
    return;
  }
  const { error, failed = [] } = json();
  for (const { code, message } of error === undefined ? failed.map(errorOf) : [error]) {
    expect(Object.keys(ERROR_CODES)).toContain(code);
    expect(EXPECTED, `${code}: ${message}\n${stdout}\n${stderr}`).toContain(code);
    expect(message).not.toBe('');
  }
  // Nothing that a server says may command the terminal.
  expect(stderr).not.toContain('\u001b');
}

const errorOf = ({ error }: { error: { code: string; message: string } }) => error;

function assertTokenAtHome({ stdout, stderr }: CliRun, hub: Hub, foreign: Foreign): void {
  expect(stdout + stderr).not.toContain(TOKEN);
  const cdn = hub.requests.filter(({ origin }) => origin === 'cdn');
  expect(cdn.filter(({ authorization }) => authorization !== undefined)).toEqual([]);
  expect(cdn.filter(({ url }) => url.includes(TOKEN))).toEqual([]);
  expect(foreign.seen.filter((text) => text.includes(TOKEN))).toEqual([]);
}

/** A server that is neither the hub nor its CDN. */
interface Foreign {
  readonly origin: string;
  /** Each request with its headers, as text. */
  readonly seen: readonly string[];
  clear(): void;
  close(): Promise<void>;
}

async function startForeign(hub: () => string): Promise<Foreign> {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url} ${JSON.stringify(request.headers)}`);
    const { status, headers, body } = foreignAnswer(request, hub());
    response.writeHead(status, headers).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('Not a TCP server');
  return {
    origin: `http://127.0.0.1:${address.port}`,
    seen,
    clear: () => {
      seen.length = 0;
    },
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function foreignAnswer({ url = '', headers }: IncomingMessage, hub: string) {
  switch (url) {
    case '/json':
      return { status: 200, headers: { 'Content-Type': 'application/json' }, body: '[]' };
    case '/echo':
      return { status: 200, headers: {}, body: JSON.stringify(headers) };
    case '/back':
      return { status: 302, headers: { Location: `${hub}/api/whoami-v2` }, body: '' };
    case '/empty':
      return { status: 200, headers: {}, body: '' };
    default:
      return { status: 200, headers: { 'Content-Type': 'text/html' }, body: '<p>Log in' };
  }
}
