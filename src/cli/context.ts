import { readFileSync } from 'node:fs';
import path from 'node:path';
import { cacheFolderIn } from '../cache/layout.ts';
import type { ExportContext } from '../commands/export/export-all.ts';
import type { FetchContext } from '../commands/fetch/fetch.ts';
import type { FetchUrlContext } from '../commands/fetch/fetch-url.ts';
import type { ImportAllContext } from '../commands/import/import-all.ts';
import type { InitContext } from '../commands/manifest/init.ts';
import type { LockContext } from '../commands/lock/lock.ts';
import type { ScanContext } from '../commands/scan/scan.ts';
import { HugError } from '../errors.ts';
import { findToken, isOn } from '../hub/auth.ts';
import type { Http } from '../hub/http.ts';
import type { RetryPolicy, Wait } from '../hub/retry.ts';
import { badEndpointReason, DEFAULT_ENDPOINT } from '../repo.ts';
import { confirm } from './confirm.ts';
import { createOutput, type Output, type Streams } from './output.ts';
import { createTaskRunner, type Display } from './progress.ts';
import { createScreen } from './screen.ts';
import { createTransferRunner } from './transfers.ts';

/** The world outside of the process, handed in so that tests can be another one. */
export interface World {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  /** Where this package is: `package.json` and `nix`. */
  readonly packageFolder: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The user's home folder. */
  readonly home: string;
  /** Where the user answers questions; without it none are asked. */
  readonly stdin?: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  /** Aborted when the user interrupts. */
  readonly signal: AbortSignal;
  /** How patient to be with a Hub; the default is patient. */
  readonly retry?: RetryPolicy;
}

/** Options that every command knows. */
export interface GlobalOptions {
  readonly cwd?: string | undefined;
  readonly manifest?: string | undefined;
  readonly json?: boolean | undefined;
  readonly offline?: boolean | undefined;
  readonly debug?: boolean | undefined;
  readonly quiet?: boolean | undefined;
  /** `false` for `--no-color`. */
  readonly color?: boolean | undefined;
  /** Downloads at once; twice as many API requests. */
  readonly concurrency?: number | undefined;
}

/** What commands get to work with. */
export interface Context
  extends
    LockContext,
    FetchContext,
    FetchUrlContext,
    ExportContext,
    ImportAllContext,
    InitContext,
    ScanContext {
  readonly output: Output;
}

/** Version of the package, from its one source. */
export function packageVersion({ packageFolder }: Pick<World, 'packageFolder'>): string {
  const text = readFileSync(path.join(packageFolder, 'package.json'), 'utf8');
  const { version }: { version: string } = JSON.parse(text);
  return version;
}

/** Makes what messages and results go through; it cannot fail. The secrets may grow. */
export function openOutput(
  options: GlobalOptions,
  world: World,
  stderr: Streams['stderr'] = world.stderr,
): { output: Output; secrets: Set<string> } {
  const secrets = new Set(secretsIn(world.env));
  const output = createOutput(
    { stdout: world.stdout, stderr },
    {
      json: options.json === true,
      quiet: options.quiet === true,
      debug: options.debug === true,
      color: wantsColor(options, world),
      secrets,
    },
  );
  return { output, secrets };
}

/**
 * Wires the real parts together; the only place that reads the environment.
 *
 * @throws HugError `EHUG_USAGE` when a variable makes no sense
 */
export function createContext(options: GlobalOptions, world: World): Context {
  const { env, stderr } = world;
  const debug = options.debug === true;
  const screen = createScreen(stderr);
  const { output, secrets } = openOutput(options, world, screen);
  const live = stderr.isTTY && !debug && env['TERM'] !== 'dumb';
  const display: Display = {
    screen,
    mode: options.quiet === true ? 'silent' : live ? 'live' : 'plain',
    color: wantsColor(options, world),
  };
  const cwd = path.resolve(world.cwd, options.cwd ?? '.');
  const workFolder = workFolderIn(env, world.home);
  const connect = (endpoint: string | undefined) =>
    openHttp(endpoint, options, world, output, secrets);
  return {
    output,
    cwd,
    manifest: options.manifest,
    signal: world.signal,
    offline: options.offline === true || isOn(env['HF_HUB_OFFLINE']),
    endpoint: endpointIn(env),
    templateFolder: path.join(world.packageFolder, 'nix/templates/project'),
    nixLibrary: path.join(world.packageFolder, 'nix'),
    cacheFolder: path.resolve(cwd, cacheFolderIn(env, world.home)),
    connect: async (endpoint) => {
      const { createHubApi } = await import('../hub/api.ts');
      const { consistent } = await import('../hub/consistent.ts');
      return consistent(createHubApi(await connect(endpoint)));
    },
    openDownloads: async (endpoint) => {
      const { createDownloads } = await import('../transfer/downloads.ts');
      const http = await connect(endpoint);
      const folder = path.join(workFolder, 'downloads');
      const downloads = createDownloads({ http, folder, signal: world.signal });
      return { ...downloads, endpoint: http.endpoint, close: () => http.close() };
    },
    openNix: async () => {
      const { createNix } = await import('../store/nix.ts');
      const { HF_TOKEN: _, HUGGING_FACE_HUB_TOKEN: __, ...toolEnv } = env;
      const packagedNixpkgs = env['NIX_HUG_NIXPKGS'];
      return createNix({ env: toolEnv, packagedNixpkgs, signal: world.signal });
    },
    runTasks: createTaskRunner(display),
    runTransfers: createTransferRunner(display),
    warn: (line) => output.warn(line),
    // Standard input is opened by the first look at it, which costs the other commands time.
    get confirm() {
      return options.json === true ? undefined : confirmIn(world);
    },
    debug: (line) => (debug ? output.note(line) : undefined),
  };
}

async function openHttp(
  manifestEndpoint: string | undefined,
  { concurrency, debug }: GlobalOptions,
  { packageFolder, env, home, signal, retry }: World,
  output: Output,
  secrets: Set<string>,
): Promise<Http> {
  const { createHttp } = await import('../hub/http.ts');
  const token = await findToken(env, home);
  if (token !== undefined) secrets.add(token);
  return createHttp({
    endpoint: endpointIn(env) ?? manifestEndpoint ?? DEFAULT_ENDPOINT,
    token,
    userAgent: `nix-hug/${packageVersion({ packageFolder })} node/${process.versions.node}`,
    proxy: {
      http: proxyIn(env, 'HTTP_PROXY'),
      https: proxyIn(env, 'HTTPS_PROXY'),
      no: env['no_proxy'] ?? env['NO_PROXY'] ?? '',
    },
    ...timeouts(env),
    ...(concurrency === undefined
      ? {}
      : { downloadConcurrency: concurrency, apiConcurrency: 2 * concurrency }),
    onWait: announceWaits(output),
    ...(debug === true
      ? {
          onExchange: ({ method, path: asked, status, ms, bytes }) =>
            output.note(
              `${method} ${asked} ${status ?? 'no answer'} ${Math.round(ms)} ms ${bytes} bytes`,
            ),
        }
      : {}),
    signal,
    ...(retry === undefined ? {} : { retry }),
  });
}

/** Where somebody sees a question and can answer it. */
function confirmIn(world: World): Context['confirm'] {
  if (!world.stderr.isTTY || world.stdin?.isTTY !== true) return undefined;
  const answers = { input: world.stdin, output: world.stderr, signal: world.signal };
  return (question) => confirm(question, answers);
}

/** Address of a proxy; `host:port` alone means http, as for curl. Its value is never shown. */
function proxyIn(env: World['env'], name: 'HTTP_PROXY' | 'HTTPS_PROXY'): string {
  const value = (env[name.toLowerCase()] ?? env[name] ?? '').trim();
  if (value === '') return '';
  const url = value.includes('://') ? value : `http://${value}`;
  if (URL.canParse(url) && /^https?:/iu.test(url)) return url;
  throw new HugError('EHUG_USAGE', `${name} is not an http or https address`);
}

/** Where files are on their way to somewhere: `$XDG_CACHE_HOME/nix-hug`, by the XDG rules. */
function workFolderIn(env: World['env'], home: string): string {
  const cache = env['XDG_CACHE_HOME'] ?? '';
  return path.join(path.isAbsolute(cache) ? cache : path.join(home, '.cache'), 'nix-hug');
}

/** Several requests wait for the same window; one line is enough. */
function announceWaits(output: Output): (wait: Wait) => void {
  let announcedUntil = 0;
  return ({ reason, ms }) => {
    const until = Date.now() + ms;
    if (until < announcedUntil + 1_000) return;
    announcedUntil = until;
    output.note(`${reason}; waiting ${Math.ceil(ms / 1_000)} s`);
  };
}

/** `HF_ENDPOINT` without trailing slashes; an empty one counts as none. */
function endpointIn(env: World['env']): string | undefined {
  const endpoint = env['HF_ENDPOINT']?.trim().replace(/\/+$/u, '');
  if (endpoint === undefined || endpoint === '') return undefined;
  const reason = badEndpointReason(endpoint);
  if (reason === undefined) return endpoint;
  throw new HugError('EHUG_USAGE', `HF_ENDPOINT ${reason}`);
}

/** The official client's limits, in seconds there and in ms here. */
function timeouts(env: World['env']): { answerTimeoutMs?: number; readTimeoutMs?: number } {
  const answer = Number(env['HF_HUB_ETAG_TIMEOUT']);
  const read = Number(env['HF_HUB_DOWNLOAD_TIMEOUT']);
  return {
    ...(answer > 0 ? { answerTimeoutMs: answer * 1_000 } : {}),
    ...(read > 0 ? { readTimeoutMs: read * 1_000 } : {}),
  };
}

/** A shorter text is no token, and hiding it would tear words apart. */
const SHORTEST_SECRET = 8;

function secretsIn(env: World['env']): string[] {
  return [env['HF_TOKEN'], env['HUGGING_FACE_HUB_TOKEN']]
    .map((token) => token?.trim() ?? '')
    .filter((token) => token.length >= SHORTEST_SECRET);
}

/** `--no-color`, then https://no-color.org, then https://force-color.org, then the terminal. */
function wantsColor({ color }: GlobalOptions, { env, stderr }: World): boolean {
  if (color === false || (env['NO_COLOR'] ?? '') !== '') return false;
  return (env['FORCE_COLOR'] ?? '') !== '' || stderr.isTTY;
}
