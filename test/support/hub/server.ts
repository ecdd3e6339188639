import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout as timeout } from 'node:timers/promises';
import { buffer } from 'node:stream/consumers';
import type { HubOptions } from './context.ts';
import type { Faults } from './faults.ts';
import { type HubRequest, plain, type Reply } from './reply.ts';

/** A request that reached the hub or its CDN. */
export interface LoggedRequest {
  readonly origin: 'hub' | 'cdn';
  readonly method: string;
  /** Path and query exactly as sent. */
  readonly url: string;
  /** Status of the answer; 0 until one is sent, and for a reset. */
  readonly status: number;
  /** Value of the header of this name. */
  readonly authorization: string | undefined;
  /** Value of the header of this name. */
  readonly range: string | undefined;
  /** Bytes of the body handed to the connection so far. */
  readonly bodyBytesSent: number;
}

type LogEntry = { -readonly [Key in keyof LoggedRequest]: LoggedRequest[Key] };

/** What a server of the hub needs. */
export interface ServerOptions {
  readonly origin: 'hub' | 'cdn';
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  readonly answer: (request: HubRequest) => Reply | Promise<Reply>;
  readonly faults: Faults;
  readonly options: HubOptions;
  readonly log: (entry: LoggedRequest) => void;
}

/** A listening server. */
export interface RunningServer {
  /** Its address, without a trailing slash. */
  readonly base: string;
  /** Ends it and every connection. */
  close(): Promise<void>;
}

/** Milliseconds; longer than any test waits between two requests on a connection. */
const KEEP_ALIVE = 60_000;
/** Times per second that a slowed-down body goes on. */
const TICKS_PER_SECOND = 20;

/** Starts a server; requests are logged as soon as they arrive. */
export async function listen(options: ServerOptions): Promise<RunningServer> {
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE });
  server.listen(options.port, options.host);
  await once(server, 'listening');
  const base = `http://${options.host}:${portOf(server)}`;
  server.on('request', (message, response) => {
    // Only a connection that the client broke off ends up here.
    serve(options, base, message, response).catch(() => response.destroy());
  });
  return { base, close: () => close(server) };
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('Not a TCP server');
  return address.port;
}

async function close(server: Server): Promise<void> {
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
}

async function serve(
  { origin, answer, faults, options, log }: ServerOptions,
  base: string,
  message: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = '', url = '' } = message;
  const headers = headersOf(message);
  const entry: LogEntry = {
    origin,
    method,
    url,
    status: 0,
    authorization: headers.get('authorization'),
    range: headers.get('range'),
    bodyBytesSent: 0,
  };
  log(entry);
  const distort = faults.next(entry);
  const body = await buffer(message);
  if (options.latencyMs > 0) await sleep(options.latencyMs);
  const [path = '', query] = url.split(/\?(.*)/su);
  const request = {
    origin,
    method,
    url,
    path,
    query: new URLSearchParams(query),
    headers,
    body,
    base,
  };
  await send(await replyTo(request, answer, distort), entry, response, options);
}

/** A defect of the hub or of a test's own function becomes a 500 that names it. */
async function replyTo(
  request: HubRequest,
  answer: ServerOptions['answer'],
  distort: ReturnType<Faults['next']>,
): Promise<Reply> {
  try {
    return await distort(await answer(request), request);
  } catch (error) {
    return plain(error instanceof Error ? (error.stack ?? error.message) : String(error), {}, 500);
  }
}

async function send(
  reply: Reply,
  entry: LogEntry,
  response: ServerResponse,
  options: HubOptions,
): Promise<void> {
  const { body, announcedBytes = body.size, ending } = reply;
  if (ending === 'reset') {
    response.socket?.resetAndDestroy();
    return;
  }
  const closed = new Promise<void>((resolve) => response.once('close', resolve));
  entry.status = reply.status;
  const length = announcedBytes === 'none' ? {} : { 'Content-Length': String(announcedBytes) };
  response.writeHead(reply.status, { ...reply.headers, ...length });
  if (entry.method !== 'HEAD') {
    for await (const chunk of paced(body.read(0, body.size), reply.bytesPerSecond)) {
      if (response.destroyed) return;
      await transmitted(chunk.length, options.linkBytesPerSecond);
      entry.bodyBytesSent += chunk.length;
      if (!response.write(chunk)) await Promise.race([drained(response), closed]);
    }
  }
  if (ending === undefined) {
    response.end();
    return;
  }
  response.flushHeaders();
  if (ending === 'stall') {
    await closed;
    return;
  }
  if (ending === 'late reset') {
    response.socket?.resetAndDestroy();
    return;
  }
  // What has been written reaches the client before the end of the connection does.
  response.socket?.end();
}

/** Waits without keeping a process alive whose hub is closed. */
const sleep = (milliseconds: number): Promise<void> =>
  timeout(milliseconds, undefined, { ref: false });

const drained = (response: ServerResponse): Promise<void> =>
  new Promise((resolve) => response.once('drain', resolve));

/** When the link of this process has sent all that was given to it, by `performance.now()`. */
let linkIsFreeAt = 0;

/** Waits until a link has sent some bytes after those that others gave it. */
async function transmitted(bytes: number, bytesPerSecond: number): Promise<void> {
  if (bytesPerSecond === Infinity) return;
  const now = performance.now();
  linkIsFreeAt = Math.max(linkIsFreeAt, now) + (bytes / bytesPerSecond) * 1000;
  await sleep(linkIsFreeAt - now);
}

/** Chunks as they are, or in small ones that keep to a rate. */
async function* paced(
  chunks: AsyncIterable<Uint8Array>,
  bytesPerSecond: number | undefined,
): AsyncIterable<Uint8Array> {
  if (bytesPerSecond === undefined) {
    yield* chunks;
    return;
  }
  const step = Math.ceil(bytesPerSecond / TICKS_PER_SECOND);
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += step) {
      await sleep(1000 / TICKS_PER_SECOND);
      yield chunk.subarray(at, at + step);
    }
  }
}

/** The headers of a request, as sent when they came once. */
function headersOf(message: IncomingMessage): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(message.headersDistinct).map(([name, values = []]) => [name, values.join(', ')]),
  );
}
