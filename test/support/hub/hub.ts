import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TokenOptions, Tokens } from './access.ts';
import { answerHub } from './answer.ts';
import { answerCdn } from './cdn.ts';
import type { HubOptions } from './context.ts';
import { type FaultRule, Faults, type Injection } from './faults.ts';
import { LfsStore } from './lfs-store.ts';
import { Repositories } from './repositories.ts';
import type { RepoOptions, Repository } from './repository.ts';
import { listen, type LoggedRequest, type RunningServer, type ServerOptions } from './server.ts';

/** What `startHub` takes. */
export interface StartOptions extends Partial<HubOptions> {
  /** Port of the hub; default any free one. */
  readonly port?: number;
}

/** A running hub and its CDN. */
export interface Hub {
  /** Address of the hub, without a trailing slash; the value for `HF_ENDPOINT`. */
  readonly endpoint: string;
  /** Address of the CDN, another origin. */
  readonly cdnOrigin: string;
  /** Behaviour that can be changed at any time. */
  readonly options: HubOptions;
  /** Every request to the hub and the CDN in order of arrival, unknown addresses too. */
  readonly requests: readonly LoggedRequest[];
  clearRequests(): void;
  createRepo(options: RepoOptions): Promise<Repository>;
  /** Gives a repository another id; its old ones are redirected. */
  renameRepo(repo: Repository, id: string): void;
  deleteRepo(repo: Repository): Promise<void>;
  /** Makes a token known; any other is refused. */
  addToken(token: string, options?: TokenOptions): void;
  /** Has matching requests answered wrongly. */
  inject(rule: FaultRule): Injection;
  /** Ends the servers and every connection, and removes the git repositories. */
  close(): Promise<void>;
}

/** Address of the CDN where the machine has it: every 127.0.0.0/8 address on Linux. */
const CDN_HOST = '127.0.0.2';
const LOOPBACK = '127.0.0.1';

/**
 * Starts a Hugging Face Hub on loopback that keeps its repositories in git, with a CDN on another
 * origin. It speaks the real protocol, except for Xet, and can be made to misbehave.
 */
export async function startHub(settings: StartOptions = {}): Promise<Hub> {
  const { port = 0, ...overrides } = settings;
  const options: HubOptions = {
    pageSize: 1000,
    latencyMs: 0,
    linkBytesPerSecond: Infinity,
    treeOrder: 'hub',
    extraTreeField: {},
    ...overrides,
  };
  const folder = await mkdtemp(join(tmpdir(), 'test-hub-'));
  const store = new LfsStore();
  const repositories = new Repositories(folder, store);
  const tokens = new Tokens();
  const faults = new Faults();
  const requests: LoggedRequest[] = [];
  const common = {
    faults,
    options,
    log: (entry: LoggedRequest): void => {
      requests.push(entry);
    },
  };
  const cdn = await listenOnCdn({
    ...common,
    origin: 'cdn',
    answer: (request) => answerCdn(request, store),
  });
  const state = { repositories, tokens, options, cdnOrigin: cdn.base };
  const hub = await listen({
    ...common,
    origin: 'hub',
    host: LOOPBACK,
    port,
    answer: (request) => answerHub(request, state),
  });
  return {
    endpoint: hub.base,
    cdnOrigin: cdn.base,
    options,
    requests,
    clearRequests: () => {
      requests.length = 0;
    },
    createRepo: (repo) => repositories.create(repo),
    renameRepo: (repo, id) => repositories.rename(repo, id),
    deleteRepo: (repo) => repositories.delete(repo),
    addToken: (token, grant) => tokens.add(token, grant),
    inject: (rule) => faults.inject(rule),
    close: async () => {
      await Promise.all([hub.close(), cdn.close()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A machine without the second address gets another port of the first, still another origin. */
async function listenOnCdn(server: Omit<ServerOptions, 'host' | 'port'>): Promise<RunningServer> {
  try {
    return await listen({ ...server, host: CDN_HOST, port: 0 });
  } catch {
    return await listen({ ...server, host: LOOPBACK, port: 0 });
  }
}
