import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { CommandContext } from '../project/context.ts';
import { HugError } from '../errors.ts';
import { findToken, isOn } from '../hub/auth.ts';
import type { Exchange } from '../hub/exchange-log.ts';
import type { HttpOptions } from '../hub/http.ts';
import type { RetryPolicy, Wait } from '../hub/retry.ts';
import { cacheFolderIn, type Env } from '../hf-home.ts';
import type { Program } from '../output/result.ts';
import { styled } from '../output/text.ts';
import { DEFAULT_ENDPOINT } from '../address.ts';
import { hideSecrets } from '../secrets.ts';
import {
  endpointIn,
  nixEnv,
  proxyIn,
  secretsIn,
  storeDiskFolderIn,
  timeoutsIn,
  userEnv,
  wantsColor,
  workFolderIn,
} from './environment.ts';
import type { GlobalOptions } from './options.ts';
import { createPrinter, type Printer, type Streams } from './printer.ts';
import { createTaskRunner, createTransferRunner } from './progress.ts';
import { confirm, createScreen, type Display, type StandardStream } from './terminal.ts';

/** The world outside of the process, handed in so that tests can be another one. */
export interface World {
  readonly stdout: StandardStream;
  readonly stderr: StandardStream;
  /** Where this package is: `package.json` and `nix`. */
  readonly packageFolder: string;
  /**
   * Working directory.
   *
   * @throws HugError `EHUG_FILE_SYSTEM` when it was deleted
   */
  readonly cwd: string;
  readonly env: Env;
  /** The user's home folder. */
  readonly home: string;
  /** Where the user answers questions; without it none are asked. */
  readonly stdin?: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  /** Aborted when the user interrupts. */
  readonly signal: AbortSignal;
  /**
   * Runs a program with the terminal of this process.
   *
   * @returns its exit status
   * @throws HugError `EHUG_PROGRAM_NOT_FOUND`, `EHUG_PROGRAM`
   */
  readonly runProgram: (program: Program) => Promise<number>;
  /** How patient to be with a Hub; the default is patient. */
  readonly retry?: RetryPolicy;
  /** The present, in ms since 1970, where it is not that of the clock. */
  readonly now?: number | undefined;
}

/** What commands get to work with. */
export interface Context extends CommandContext {
  readonly output: Printer;
  /** The user's home folder. */
  readonly home: string;
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
): { output: Printer; secrets: Set<string> } {
  const { stdout, env } = world;
  const secrets = new Set(secretsIn(env));
  const color = wantsColor(options, env, world.stderr);
  const colorResults = wantsColor(options, env, stdout);
  const output = createPrinter({ stdout, stderr }, { ...options, color, colorResults, secrets });
  return { output, secrets };
}

/**
 * Wires the real parts together.
 *
 * @throws HugError `EHUG_USAGE` when a variable makes no sense
 */
export function createContext(options: GlobalOptions, world: World): Context {
  const env = userEnv(world.env);
  const debug = options.debug === true;
  const screen = createScreen(world.stderr);
  const { output, secrets } = openOutput(options, world, screen);
  const waits = createWaits((line) => output.note(line));
  const display: Display = {
    screen,
    mode: displayMode(options, world),
    paint: wantsColor(options, env, world.stderr) ? styled : (_style, text) => text,
    hide: (text) => hideSecrets(text, secrets),
    notice: waits.notice,
  };
  const named = options.cwd ?? '.';
  // A process whose folder was deleted has none, and needs none where the user names one in full.
  const cwd = path.isAbsolute(named) ? path.resolve(named) : path.resolve(world.cwd, named);
  const workFolder = workFolderIn(env, world.home);
  const cacheFolder = path.resolve(cwd, cacheFolderIn(env, world.home));
  let network: ReturnType<typeof networkOptions> | undefined;
  const debugLine = (line: string) => (debug ? output.note(line) : undefined);
  const connect = async (manifestEndpoint: string | undefined) => {
    const { createHttp } = await import('../hub/http.ts');
    const { createPacks } = await import('../git/packs.ts');
    network ??= networkOptions(options, world, cwd, output, secrets);
    const endpoint = endpointIn(env) ?? manifestEndpoint ?? DEFAULT_ENDPOINT;
    if (!URL.canParse(endpoint)) {
      throw new HugError('EHUG_LOCK_INVALID', 'the endpoint of the lock is not an address', {
        hint: 'Correct the endpoint of hug.yaml and run nix-hug lock, or set HF_ENDPOINT.',
      });
    }
    const settings = { ...(await network), endpoint };
    const http = createHttp({ ...settings, onWait: waits.announce });
    const folder = path.join(workFolder, 'git');
    return { http, packs: createPacks({ ...settings, env, folder, debug: debugLine }) };
  };
  return {
    output,
    home: world.home,
    now: world.now ?? Date.now(),
    cwd,
    manifest: options.manifest,
    signal: world.signal,
    offline: options.offline === true || isOn(env['HF_HUB_OFFLINE']),
    endpoint: endpointIn(env),
    templateFolder: path.join(world.packageFolder, 'nix/templates/project'),
    nixLibrary: path.join(world.packageFolder, 'nix'),
    cacheFolder,
    viewsFolder: path.join(workFolder, 'views'),
    isPlain: isOn(env['HF_HUB_DISABLE_SYMLINKS']),
    connect: async (endpoint) => {
      const { createHubApi, memoizeHub } = await import('../hub/api.ts');
      const { withPacks } = await import('../git/packed-hub.ts');
      const { http, packs } = await connect(endpoint);
      return withPacks(memoizeHub(createHubApi(http, (line) => output.warn(line))), packs);
    },
    openDownloads: async (endpoint) => {
      const { createDownloads } = await import('../download/downloads.ts');
      const { http, packs } = await connect(endpoint);
      const folder = path.join(workFolder, 'downloads');
      const downloads = createDownloads({ http, folder, signal: world.signal });
      return {
        ...downloads,
        unpack: (...args) => packs.unpack(...args),
        endpoint: http.endpoint,
        async close() {
          await packs.close();
          await http.close();
        },
      };
    },
    openNix: async () => {
      const { createNix } = await import('../store/nix.ts');
      const packagedNixpkgs = env['NIX_HUG_NIXPKGS'];
      const diskFolder = storeDiskFolderIn(env);
      return createNix({ env: nixEnv(env), packagedNixpkgs, diskFolder, signal: world.signal });
    },
    showFile: async (...args) => {
      const { showFile } = await import('../git/show-file.ts');
      return showFile(...args, { env, signal: world.signal });
    },
    runTasks: createTaskRunner(display),
    runTransfers: createTransferRunner(display),
    warn: (line) => output.warn(line),
    // Standard input is opened by the first look at it, which costs the other commands time.
    get confirm() {
      return options.json === true ? undefined : confirmIn(world);
    },
    debug: debugLine,
  };
}

function displayMode({ quiet, debug, verbose }: GlobalOptions, world: World): Display['mode'] {
  if (quiet === true) return 'silent';
  if (world.stderr.isTTY === true && debug !== true && world.env['TERM'] !== 'dumb') return 'live';
  return verbose === true ? 'verbose' : 'plain';
}

/** What the options and the environment say about requests to any Hub. */
async function networkOptions(
  { concurrency, debug }: GlobalOptions,
  { packageFolder, env, home, signal, retry }: World,
  cwd: string,
  output: Printer,
  secrets: Set<string>,
): Promise<Omit<HttpOptions, 'endpoint'>> {
  const { readAuthorities } = await import('../hub/pool.ts');
  const token = await findToken(env, { home, cwd });
  if (token !== undefined) secrets.add(token);
  return {
    token,
    userAgent: `nix-hug/${packageVersion({ packageFolder })} node/${process.versions.node}`,
    proxy: proxyIn(env),
    authorities: await readAuthorities(env, (line) => output.warn(line)),
    ...timeoutsIn(env),
    downloadConcurrency: concurrency,
    apiConcurrency: concurrency === undefined ? undefined : 2 * concurrency,
    onExchange: debug === true ? (exchange) => output.note(exchangeText(exchange)) : undefined,
    signal,
    retry,
  };
}

const exchangeText = ({ method, path: url, status, ms, bytes }: Exchange): string =>
  `${method} ${url} ${status ?? 'no answer'} ${Math.round(ms)} ms ${bytes} bytes`;

/** Where somebody sees a question and can answer it. */
function confirmIn({ stdin, stderr, signal }: World): Context['confirm'] {
  if (!stderr.isTTY || stdin?.isTTY !== true) return undefined;
  return (question) => confirm(question, stdin, stderr, signal);
}

/** Tells of waits for the Hub; one line is enough for several requests that wait for the same. */
function createWaits(note: (line: string) => void) {
  let until = 0;
  return {
    announce: ({ reason, ms }: Wait) => {
      const end = Date.now() + ms;
      if (end < until + 1_000) return;
      until = end;
      note(`${reason}; waiting ${Math.ceil(ms / 1_000)} s`);
    },
    notice: () => {
      const seconds = Math.ceil((until - Date.now()) / 1_000);
      return seconds > 0 ? [`the next request follows in ${seconds} s`] : [];
    },
  };
}
