import { once } from 'node:events';
import type { ReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import path from 'node:path';
import send from 'send';
import type { RepoFile } from '../copy/blob.ts';
import { HugError, messageOf } from '../errors.ts';
import { addressOf, isLocalHost, type ListenAddress } from './listen.ts';
import { type Answer, entryMissing, type Request, route } from './routes.ts';
import type { Catalog } from './catalog.ts';

/** What a server offers, and to whom. */
export interface ServerOptions {
  readonly catalog: Catalog;
  /** The file on this machine that has a content; `undefined` for none. */
  readonly fileOf: (file: RepoFile) => string | undefined;
  readonly listen: ListenAddress;
  /** Whether requests may name another host than this machine. */
  readonly allowsAnyHost: boolean;
  /** Ends the server, with all connections. */
  readonly signal: AbortSignal;
  /** Told of each request. */
  readonly log: (line: string) => void;
}

/** A server that runs. */
export interface RunningServer {
  /** Its address, with the port that it got. */
  readonly address: string;
  /** Ends when the signal has ended the server. */
  readonly closed: Promise<void>;
}

/** Connections at once; more are closed at once. */
const MAX_CONNECTIONS = 2_048;
/** A client that sends its request slowly, or reads nothing for so long, loses its connection. */
const HEADERS_MS = 15_000;
const REQUEST_MS = 30_000;
const IDLE_MS = 120_000;
const KEEP_ALIVE_MS = 15_000;
const CHECK_MS = 5_000;

/** Bytes of a body: 2,000 paths. */
const MAX_BODY = 1024 * 1024;

/** Answers that a browser must not run or show as a page of this address. */
const HARMLESS = {
  'Content-Security-Policy': "default-src 'none'; sandbox",
  'X-Content-Type-Options': 'nosniff',
} as const;

/**
 * Starts a server that answers from a catalog, read-only.
 *
 * @throws HugError `EHUG_LISTEN`
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { listen, log, signal } = options;
  const server = createServer(
    {
      headersTimeout: HEADERS_MS,
      requestTimeout: REQUEST_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: CHECK_MS,
    },
    (request, response) => void answer(request, response, options),
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.setTimeout(IDLE_MS);
  await listening(server, listen);
  // One connection that could not be accepted is no reason to end the others.
  server.on('error', (error) => log(`cannot accept a connection: ${messageOf(error)}`));
  const closed = once(server, 'close').then(() => undefined);
  const end = () => {
    server.close();
    server.closeAllConnections();
  };
  if (signal.aborted) end();
  else signal.addEventListener('abort', end, { once: true });
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : listen.port;
  return { address: addressOf(listen.host, port), closed };
}

async function listening(server: Server, { host, port }: ListenAddress): Promise<void> {
  try {
    server.listen(port, host);
    await once(server, 'listening');
  } catch (error) {
    const message = `cannot listen at ${addressOf(host, port)}: ${messageOf(error)}`;
    const hint = 'Name another address or port with --listen; port 0 takes one that is free.';
    throw new HugError('EHUG_LISTEN', message, { hint, cause: error });
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: ServerOptions,
): Promise<void> {
  const { method = '', url = '' } = request;
  response.on('close', () => {
    const end = response.writableFinished ? '' : ', not read to the end';
    options.log(`${method} ${url} ${response.statusCode}${end}`);
  });
  for (const [name, value] of Object.entries(HARMLESS)) response.setHeader(name, value);
  try {
    await reply(request, response, options);
  } catch (error) {
    options.log(`${method} ${url}: ${messageOf(error)}`);
    if (response.headersSent) response.destroy();
    else sendText(response, 500, 'cannot answer');
  }
}

async function reply(
  request: IncomingMessage,
  response: ServerResponse,
  options: ServerOptions,
): Promise<void> {
  const { host } = request.headers;
  if (!options.allowsAnyHost && !isLocalHost(host)) {
    sendText(response, 403, 'this server answers requests to its own address only');
    return;
  }
  const body = request.method === 'POST' ? await bodyOf(request) : '';
  if (body === undefined) {
    response.setHeader('Connection', 'close');
    sendText(response, 413, 'the body is too long');
    return;
  }
  const asked: Request = {
    method: request.method ?? '',
    target: request.url ?? '',
    origin: host === undefined ? '' : `http://${host}`,
    body,
  };
  const found = route(options.catalog, asked);
  if (found.kind === 'file') await sendFile(request, response, found, options);
  else sendAnswer(response, found);
}

/** The body of a request as text; `undefined` for one that is too long. */
async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY) return undefined;
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_BODY) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function sendAnswer(response: ServerResponse, found: Exclude<Answer, { kind: 'file' }>): void {
  for (const [name, value] of Object.entries(found.headers)) response.setHeader(name, value);
  if (found.kind === 'json') sendJson(response, 200, found.value);
  else if (found.isJson) sendJson(response, found.status, { error: found.message });
  else sendText(response, found.status, found.message);
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  sendBody(response, status, 'application/json; charset=utf-8', JSON.stringify(value));
}

function sendText(response: ServerResponse, status: number, text: string): void {
  sendBody(response, status, 'text/plain; charset=utf-8', text);
}

function sendBody(response: ServerResponse, status: number, type: string, text: string): void {
  response.statusCode = status;
  response.setHeader('Content-Type', type);
  response.setHeader('Content-Length', Buffer.byteLength(text));
  // Node leaves it out of the answer to HEAD.
  response.end(text);
}

/** Sends a file, or the part or condition of it that is asked for (RFC 9110, by `send`). */
async function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  { file, etag, headers }: Extract<Answer, { kind: 'file' }>,
  { fileOf, log }: ServerOptions,
): Promise<void> {
  const place = fileOf(file);
  const stats = place === undefined ? undefined : await stat(place).catch(() => undefined);
  if (place === undefined || stats?.isFile() !== true || stats.size !== file.size) {
    if (place !== undefined) log(`${place} is not there any more, or has changed`);
    sendAnswer(response, MISSING);
    return;
  }
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.setHeader('ETag', `"${etag}"`);
  response.setHeader('Content-Type', 'application/octet-stream');
  const options = { ...SEND_OPTIONS, root: path.dirname(place) };
  send(request, encodeURIComponent(path.basename(place)), options)
    .on('stream', (stream: ReadStream) => {
      // A file that became shorter: the client must not take what follows for the rest of it.
      stream.once('end', () => {
        if (stream.bytesRead !== Number(response.getHeader('Content-Length'))) response.destroy();
      });
    })
    .on('error', (error: SendError) => {
      log(`${place}: ${error.message}`);
      refuseFile(response, error);
    })
    .pipe(response);
}

/** `highWaterMark` reaches `createReadStream`: reads of 128 KiB are faster than those of 64. */
const SEND_OPTIONS = {
  dotfiles: 'allow',
  index: false,
  cacheControl: false,
  etag: false,
  lastModified: false,
  highWaterMark: 128 * 1024,
} as const;

/** The answer for a file that is locked and not on this machine. */
const MISSING = entryMissing('this file is not on the machine that serves it', false);

/** An error of `send`, such as 412 and 416. */
interface SendError extends Error {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

function refuseFile(response: ServerResponse, { status = 500, headers = {} }: SendError): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  for (const name of ['ETag', 'X-Repo-Commit', 'Content-Range', 'Accept-Ranges']) {
    response.removeHeader(name);
  }
  if (status === 404) {
    sendAnswer(response, MISSING);
    return;
  }
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  sendText(response, status, STATUS_CODES[status] ?? '');
}
