import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import type { Env } from '../hf-home.ts';
import { createProxyChoice, type PoolOptions } from '../hub/pool.ts';

/** How git reaches one Hub. */
export interface GitAccess extends Pick<PoolOptions, 'proxy'> {
  /** Address of the Hub; git may use no other protocol. */
  readonly endpoint: string;
  readonly token?: string | undefined;
  /** Its `PATH` is where git is looked for; its certificates are trusted. */
  readonly env: Env;
}

/** What one run of git may take. */
export interface GitLimits {
  /** Largest file that it may write, in bytes. */
  readonly maxBytes: number;
  readonly maxMs: number;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** User name beside a token, which the Hub ignores; the official client has the same. */
const USER = 'hf_user';

/**
 * The whole environment of git: no configuration of the user or the system, no netrc file, no
 * questions. The token is a header in here, since everybody can read arguments; git before 2.31 sends
 * none.
 *
 * @param home an empty folder
 * @param certificates file of those to trust
 */
export function gitEnv(
  { env, endpoint, token, proxy }: GitAccess,
  home: string,
  certificates: string,
): Record<string, string> {
  const url = new URL(endpoint);
  const protocol = url.protocol.slice(0, -1);
  const through = proxy === undefined ? '' : createProxyChoice(proxy)(url);
  const user = Buffer.from(`${USER}:${token}`).toString('base64');
  return {
    PATH: env['PATH'] ?? '',
    HOME: home,
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_SYSTEM: '/dev/null',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ALLOW_PROTOCOL: protocol,
    GIT_SSL_CAINFO: certificates,
    GIT_PROXY_SSL_CAINFO: certificates,
    ...(through === '' ? {} : { [`${protocol}_proxy`]: through }),
    ...(token === undefined
      ? {}
      : {
          GIT_CONFIG_COUNT: '1',
          GIT_CONFIG_KEY_0: `http.${endpoint}/.extraHeader`,
          GIT_CONFIG_VALUE_0: `Authorization: Basic ${user}`,
        }),
  };
}

/** Memory of each process of git, in KiB. A pack of a few kB can expand to any size. */
const MAX_MEMORY = 1024 * 1024;
/** What `ulimit -f` counts in, by POSIX. */
const BLOCK_BYTES = 512;
/** Becomes git, with limits that its processes inherit; macOS has none for memory. */
const SCRIPT =
  'ulimit -c 0; ulimit -v "$1" 2>/dev/null; ulimit -f "$2" || exit; shift 2; exec git "$@"';

/** Characters of stderr that are kept, the last ones. */
const MAX_MESSAGE = 4096;
/** Lines that say why git or the shell failed. */
const REASON = /^(?:fatal|error|sh|\/bin\/sh): .*$/gmu;

/**
 * Runs git, and ends all of its processes when `consume` fails, at the time limit and by the signal.
 *
 * @param args no shell reads them
 * @param consume writes to stdin and reads all of stdout
 * @throws Error with the first reason that git gives, when it fails; what `consume` throws
 */
export async function runGit<T>(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  { maxBytes, maxMs, signal }: GitLimits,
  consume: (stdin: Writable, stdout: Readable) => Promise<T>,
): Promise<T> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(maxMs)]);
  limit.throwIfAborted();
  const blocks = Math.ceil(maxBytes / BLOCK_BYTES);
  // A process group of its own: git starts others, which would outlive it.
  const child = spawn('/bin/sh', ['-c', SCRIPT, 'sh', `${MAX_MEMORY}`, `${blocks}`, ...args], {
    env,
    detached: true,
  });
  let isClosed = false;
  let messages = '';
  const end = () => {
    try {
      if (child.pid !== undefined && !isClosed) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has just ended.
    }
  };
  const closed = once(child, 'close').finally(() => (isClosed = true));
  closed.catch(() => undefined);
  child.stderr.on('data', (chunk: Buffer) => {
    messages = (messages + chunk.toString()).slice(-MAX_MESSAGE);
  });
  // A git that ends without reading its input says why.
  child.stdin.on('error', () => undefined);
  limit.addEventListener('abort', end, { once: true });
  try {
    const [result, [status]] = await Promise.all([consume(child.stdin, child.stdout), closed]);
    if (status === 0) return result;
    throw new Error(`git ${messages.match(REASON)?.at(0) ?? 'was ended'}`);
  } catch (error) {
    limit.throwIfAborted();
    throw error;
  } finally {
    limit.removeEventListener('abort', end);
    end();
  }
}
