import type { RemoteFile } from '../src/download/response.ts';
import { type FileContent, lfs, startHub } from '../test/support/hub/index.ts';

/** What the hub is to serve: a model of LFS files, and of small plain ones. */
export interface Offer {
  /** Repository id. */
  readonly id: string;
  readonly weights: {
    /** Number of files. */
    readonly count: number;
    /** Bytes of each. */
    readonly size: number;
  };
  /** Number of plain files; default none. */
  readonly plain?: number;
  /** Id of the base model, of an adapter. */
  readonly base?: string;
}

/** What it serves. */
export interface Served {
  readonly id: string;
  readonly rev: string;
  readonly weights: readonly RemoteFile[];
}

/** What the hub is told, one at a time; it answers each. */
export type Order =
  | { readonly order: 'network'; readonly ms: number; readonly bytesPerSecond: number }
  /** Counts the requests since the last time. */
  | { readonly order: 'count' }
  /** Adds a commit to a repository. */
  | { readonly order: 'commit'; readonly id: string };

/** Requests by what they ask for. */
export interface RequestCount {
  readonly api: number;
  /** Files one by one, and where they are redirected to. */
  readonly files: number;
  /** Packs of git. */
  readonly git: number;
}

/** What the hub tells the benchmark: once that it is ready, then the answer to each order. */
export type Reply =
  | { readonly endpoint: string; readonly served: readonly Served[] }
  | { readonly counted: RequestCount };

// A hub in a process of its own, so that it shares no event loop with a client.
const hub = await startHub();
const repositories = new Map<string, Awaited<ReturnType<typeof hub.createRepo>>>();

async function serve({ id, weights, plain = 0, base }: Offer): Promise<Served> {
  const large = Array.from(
    { length: weights.count },
    (_, seed) =>
      [
        `file-${seed}.bin`,
        lfs.generated({ size: weights.size, seed: plain === 0 ? seed : `${id}-${seed}` }),
      ] as const,
  );
  const small = Array.from({ length: plain }, (_, index): [string, FileContent] => [
    `config-${index}.json`,
    `{ "${id}": ${index} }\n`,
  ]);
  if (base !== undefined) {
    small.push(['adapter_config.json', JSON.stringify({ base_model_name_or_path: base })]);
  }
  const repo = await hub.createRepo({ type: 'model', id });
  repositories.set(id, repo);
  const rev = await repo.commit({ files: [...large, ...small] });
  const files = large.map(async ([path, content]) => ({
    url: `${hub.endpoint}/${id}/resolve/${rev}/${path}`,
    subject: { type: 'model' as const, id, ref: rev, path },
    size: weights.size,
    digest: { kind: 'sha256' as const, hex: await content.sha256() },
  }));
  return { id, rev, weights: await Promise.all(files) };
}

function count(): RequestCount {
  const api = hub.requests.filter(({ url }) => url.startsWith('/api/models/')).length;
  const git = hub.requests.filter(({ url }) => url.includes('git-upload-pack')).length;
  const counted = { api, files: hub.requests.length - api - git, git };
  hub.clearRequests();
  return counted;
}

process.on('message', (order: Order) => {
  void (async () => {
    if (order.order === 'network') {
      hub.options.latencyMs = order.ms;
      // JSON has no infinity.
      hub.options.linkBytesPerSecond = order.bytesPerSecond === 0 ? Infinity : order.bytesPerSecond;
    }
    if (order.order === 'commit') {
      await repositories.get(order.id)?.commit({ files: { 'README.md': `# ${Date.now()}\n` } });
    }
    const reply: Reply = { counted: count() };
    process.send?.(reply);
  })();
});
process.on('disconnect', () => void hub.close());

const served: Served[] = [];
const offers: Offer[] = JSON.parse(process.argv[2] ?? '[]');
for (const offer of offers) served.push(await serve(offer));
const ready: Reply = { endpoint: hub.endpoint, served };
process.send?.(ready);
