import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { digestsOfBytes } from '../../src/digest.ts';
import { namedEntries } from '../../src/lock/entries.ts';
import { createCatalog } from '../../src/serve/catalog.ts';
import { parseListen } from '../../src/serve/listen.ts';
import { startServer } from '../../src/serve/server.ts';
import { lockedEntry, lockOf } from '../support/locks.ts';
import { tempFolder } from '../support/temp.ts';

const SECRET = 'what no request may get';
const CONTENT = Buffer.from('0123456789');

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'CONNECT', 'TRACE'];
const signs = [' ', '/', '\r\n', '\n', '\r\n\r\n', ':', '?', '%', '#', '*', '\0', '\u00ff'];
const targets = [
  '/org/name/resolve/main/w.bin',
  '/api/models/org/name',
  '/paths-info/main',
  '/sha256/',
  'secret.txt',
  '..',
  '%2e%2e%2f',
  '%00',
];
const versions = ['HTTP/1.1', 'HTTP/1.0', 'HTTP/9.9'];
const headers = [
  'Host: localhost',
  'Range: bytes=',
  '0-4',
  '-1',
  '9-0',
  'If-None-Match: ',
  '"x"',
  'Content-Length: 5',
  'Transfer-Encoding: chunked',
  '5\r\nhello\r\n0\r\n\r\n',
  'Expect: 100-continue',
  'Upgrade: websocket',
  'Connection: upgrade',
  'Connection: close',
];
const words = fc.constantFrom(...methods, ...signs, ...targets, ...versions, ...headers);

/** Requests that begin as such, and random ones. */
const request = fc
  .tuple(
    fc.constantFrom('', 'GET /org/name/resolve/main/w.bin HTTP/1.1\r\nHost: localhost\r\n', 'GET '),
    fc.array(fc.oneof({ weight: 4, arbitrary: words }, { weight: 1, arbitrary: fc.string() }), {
      maxLength: 16,
    }),
  )
  .map(([start, parts]) => start + parts.join(''));

it('answers or closes each of random requests, and goes on', async () => {
  const folder = await tempFolder();
  await writeFile(path.join(folder, 'secret.txt'), SECRET);
  await writeFile(path.join(folder, 'w.bin'), CONTENT);
  const files = new Map([['w.bin', digestsOfBytes(CONTENT)]]);
  const entries = namedEntries(lockOf({ m: lockedEntry({ files }) }));
  const controller = new AbortController();
  const { address, closed } = await startServer({
    catalog: createCatalog(entries, () => undefined),
    fileOf: () => path.join(folder, 'w.bin'),
    listen: parseListen('127.0.0.1:0'),
    allowsAnyHost: false,
    signal: controller.signal,
    log: () => undefined,
  });
  const port = Number(new URL(address).port);
  const send = async (bytes: string) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    socket.end(Buffer.from(`${bytes}\r\n\r\n`, 'latin1'));
    return text(socket).catch(() => '');
  };
  await fc.assert(
    fc.asyncProperty(request, async (bytes) => {
      const got = await send(bytes);
      expect(got).not.toContain(SECRET);
      expect(got).toMatch(/^(?:$|HTTP\/1\.1 [1234]\d\d )/u);
    }),
    {
      seed: Number(process.env['FAULT_SEED']),
      numRuns: Number(process.env['FAULT_RUNS']),
    },
  );
  expect(await (await fetch(`${address}/org/name/resolve/main/w.bin`)).text()).toBe('0123456789');
  controller.abort();
  await closed;
});
