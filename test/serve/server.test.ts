import { once } from 'node:events';
import { rm, truncate, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { text } from 'node:stream/consumers';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { digestsOfBytes } from '../../src/digest.ts';
import { namedEntries } from '../../src/lock/entries.ts';
import { createCatalog } from '../../src/serve/catalog.ts';
import { parseListen } from '../../src/serve/listen.ts';
import { type RunningServer, startServer } from '../../src/serve/server.ts';
import { lockedEntry, lockOf } from '../support/locks.ts';
import { tempFolder } from '../support/temp.ts';

const MIB = 1024 * 1024;
const CONTENTS: Readonly<Record<string, Buffer>> = {
  'w.bin': Buffer.from('0123456789'),
  'empty.txt': Buffer.alloc(0),
  'large.bin': Buffer.alloc(64 * MIB, 'large'),
};
const facts = Object.entries(CONTENTS).map(([name, content]) => {
  return [name, { ...digestsOfBytes(content), content }] as const;
});
const OID = digestsOfBytes(CONTENTS['w.bin'] ?? Buffer.alloc(0)).oid;
const files = new Map(facts.map(([name, { size, hash, oid }]) => [name, { size, hash, oid }]));
const catalog = createCatalog(namedEntries(lockOf({ m: lockedEntry({ files }) })), () => undefined);
const REV = 'c'.repeat(40);
const W = '/org/name/resolve/main/w.bin';

let folder: string;
let server: RunningServer;
let controller: AbortController;
let log: string[];

beforeEach(async () => {
  folder = await tempFolder('files #%ü');
  for (const [name, { content }] of facts)
    await writeFile(path.join(folder, `.${name} %2e`), content);
  log = [];
  controller = new AbortController();
  onTestFinished(() => controller.abort());
  server = await start();
});

const start = (allowsAnyHost = false) =>
  startServer({
    catalog,
    fileOf: ({ path: name }) => path.join(folder, `.${name} %2e`),
    listen: parseListen('127.0.0.1:0'),
    allowsAnyHost,
    signal: controller.signal,
    log: (line) => log.push(line),
  });

/** Status, some headers and the body of an answer. */
async function ask(headers: Readonly<Record<string, string>> = {}, target = W, method = 'GET') {
  const answer = await fetch(server.address + target, { method, headers });
  const of = (name: string) => answer.headers.get(name);
  return {
    status: answer.status,
    length: of('content-length'),
    range: of('content-range'),
    etag: of('etag'),
    commit: of('x-repo-commit'),
    body: await answer.text(),
  };
}

const WHOLE = {
  status: 200,
  length: '10',
  range: null,
  etag: `"${OID}"`,
  commit: REV,
  body: '0123456789',
};

/** A connection over which bytes are sent as they are. */
async function connection(): Promise<Socket> {
  const socket = connect(Number(new URL(server.address).port), '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** What the server sends to some bytes, until it closes the connection. */
async function raw(bytes: string): Promise<string> {
  const socket = await connection();
  socket.write(bytes, 'latin1');
  return text(socket);
}

describe('a file', () => {
  it('is sent whole, in parts and without its body', async () => {
    expect(await ask()).toEqual(WHOLE);
    expect(await ask({}, W, 'HEAD')).toEqual({ ...WHOLE, body: '' });
    const part = { ...WHOLE, status: 206 };
    expect(await ask({ range: 'bytes=2-4' })).toEqual({
      ...part,
      length: '3',
      range: 'bytes 2-4/10',
      body: '234',
    });
    expect(await ask({ range: 'bytes=-3' })).toMatchObject({ status: 206, body: '789' });
    expect(await ask({ range: 'bytes=7-' })).toMatchObject({ status: 206, body: '789' });
    expect(await ask({ range: 'bytes=8-99' })).toMatchObject({ range: 'bytes 8-9/10', body: '89' });
    expect(await ask({ range: 'bytes=0-0' }, W, 'HEAD')).toMatchObject({ status: 206, body: '' });
    // As RFC 9110 allows for several parts, and for what is no range.
    expect(await ask({ range: 'bytes=0-1,5-6' })).toEqual(WHOLE);
    expect(await ask({ range: 'lines=1-2' })).toEqual(WHOLE);
    expect(await ask({ range: 'bytes=10-' })).toMatchObject({
      status: 416,
      range: 'bytes */10',
      etag: null,
      commit: null,
    });
    expect(await ask({}, '/org/name/resolve/main/empty.txt')).toMatchObject({
      status: 200,
      length: '0',
      body: '',
    });
  });

  it('is sent by its conditions', async () => {
    // By hand, since `fetch` asks for an answer without a cache then.
    const known = `If-None-Match: "${OID}"\r\nConnection: close`;
    const got = await raw(`GET ${W} HTTP/1.1\r\nHost: localhost\r\n${known}\r\n\r\n`);
    expect(got).toMatch(/^HTTP\/1\.1 304 /u);
    expect(got).toContain(`ETag: "${OID}"`);
    expect(got).not.toContain('0123456789');
    expect(await ask({ 'if-none-match': '"other"' })).toEqual(WHOLE);
    expect(await ask({ 'if-match': '"other"' })).toMatchObject({ status: 412 });
    expect(await ask({ range: 'bytes=1-1', 'if-range': `"${OID}"` })).toMatchObject({ body: '1' });
    expect(await ask({ range: 'bytes=1-1', 'if-range': '"other"' })).toEqual(WHOLE);
  });

  it('that is gone or has another size is missing, and nothing says that the commit lacks it', async () => {
    const file = path.join(folder, '.w.bin %2e');
    const missing = { status: 404, etag: null, commit: null, range: null };
    await truncate(file, 3);
    expect(await ask()).toMatchObject(missing);
    await rm(file);
    expect(await ask()).toMatchObject(missing);
    expect(log).toContain(`${file} is not there any more, or has changed`);
  });

  it('that becomes shorter while it is sent ends the connection', async () => {
    const answer = await fetch(`${server.address}/org/name/resolve/main/large.bin`);
    const reader = answer.body?.getReader();
    await reader?.read();
    await truncate(path.join(folder, '.large.bin %2e'), MIB);
    const rest = async () => {
      while ((await reader?.read())?.done === false);
    };
    await expect(rest()).rejects.toThrow();
    expect(await ask()).toEqual(WHOLE);
  });
});

describe('a hostile client', () => {
  it.each(['evil.example', '127.0.0.1.evil.example:80', '10.0.0.1'])(
    'gets nothing under the name %s',
    async (name) => {
      const request = `GET ${W} HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n`;
      expect(await raw(request)).toMatch(/^HTTP\/1\.1 403 /u);
      server = await start(true);
      expect(await raw(request)).toMatch(/^HTTP\/1\.1 200 /u);
    },
  );

  it.each([
    'GET /../../etc/passwd HTTP/1.1',
    'GET /org/name/resolve/main/../../../../etc/passwd HTTP/1.1',
    'GET /org/name/resolve/main/%2e%2e%2f%2e%2e%2fetc%2fpasswd HTTP/1.1',
    'GET /org/name/resolve/main//etc/passwd HTTP/1.1',
    'GET /org/name/resolve/main/w.bin%00 HTTP/1.1',
    'GET /sha256/../.w.bin%20%252e HTTP/1.1',
    'GET http://other.example/etc/passwd HTTP/1.1',
    'PUT /org/name/resolve/main/w.bin HTTP/1.1',
    'DELETE /org/name/resolve/main/w.bin HTTP/1.1',
    'OPTIONS * HTTP/1.1',
    'GET  HTTP/1.1',
    'nonsense',
    '\u0016\u0003\u0001',
    `GET /${'x'.repeat(100_000)} HTTP/1.1`,
  ])('gets an error to %s', async (line) => {
    const got = await raw(`${line}\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    expect(got).toMatch(/^HTTP\/1\.1 4\d\d /u);
    expect(got).not.toContain('0123456789');
    expect(await ask()).toEqual(WHOLE);
  });

  it('gets an error to a body that is too long', async () => {
    const target = '/api/models/org/name/paths-info/main';
    const said = `POST ${target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999999\r\n\r\n`;
    expect(await raw(said)).toMatch(/^HTTP\/1\.1 413 /u);
    const socket = await connection();
    const closed = once(socket, 'close');
    socket.write(
      `POST ${target} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    for (let sent = 0; sent < 8 && !socket.destroyed; sent += 1) {
      socket.write(`40000\r\n${'x'.repeat(0x40000)}\r\n`);
    }
    socket.resume();
    await closed;
    expect(await ask()).toEqual(WHOLE);
  });

  it('may hold 1,000 connections, and read 200 files slowly, beside others', async () => {
    const idle = await Promise.all(Array.from({ length: 800 }, connection));
    for (const socket of idle) socket.write('GET / HTTP/1.1\r\nHost: l');
    const slow = await Promise.all(Array.from({ length: 200 }, connection));
    for (const socket of slow) {
      socket.write('GET /org/name/resolve/main/large.bin HTTP/1.1\r\nHost: localhost\r\n\r\n');
      // It reads the first bytes, and no more.
      socket.once('data', () => socket.pause());
    }
    await Promise.all(slow.map((socket) => once(socket, 'data')));
    const before = process.memoryUsage().rss;
    expect(await Promise.all(Array.from({ length: 50 }, () => ask()))).toEqual(
      Array.from({ length: 50 }, () => WHOLE),
    );
    // 64 MiB each would be 12 GiB.
    expect(process.memoryUsage().rss - before).toBeLessThan(256 * MIB);
  });
});

it('serves 50 clients that download at once', async () => {
  const download = async () => {
    for (let number = 0; number < 40; number += 1) expect((await ask()).body).toBe('0123456789');
  };
  await Promise.all(Array.from({ length: 50 }, download));
  expect(log).toHaveLength(2_000);
});

describe('the end', () => {
  it('comes with open downloads, and closes every connection', async () => {
    const sockets = await Promise.all(Array.from({ length: 20 }, connection));
    for (const socket of sockets) {
      socket.write('GET /org/name/resolve/main/large.bin HTTP/1.1\r\nHost: localhost\r\n\r\n');
      socket.once('data', () => socket.pause());
    }
    await Promise.all(sockets.map((socket) => once(socket, 'data')));
    controller.abort();
    await server.closed;
    await expect(fetch(server.address)).rejects.toThrow();
    // Each download is told of, with how it ended.
    await setTimeout(0);
    expect(log.filter((line) => line.endsWith('200, not read to the end'))).toHaveLength(20);
  });

  it('comes at once when the signal came before', async () => {
    controller.abort();
    await (
      await start()
    ).closed;
  });
});
