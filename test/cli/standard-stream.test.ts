import { execFile } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync, readSync } from 'node:fs';
import { Socket } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createStandardStream } from '../../src/cli/standard-stream.ts';
import { tempFolder } from '../support/temp.ts';

/** Neither a terminal nor a pipe that is full may come up. */
const never = () => {
  throw new Error('was opened');
};

/** File descriptor of a pipe that takes a part of much text, and does not wait for its reader. */
async function hastyPipe(): Promise<number> {
  const fifo = path.join(await tempFolder('ä pipe'), 'fifo');
  await promisify(execFile)('mkfifo', [fifo]);
  return openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
}

/** Reads from a pipe until so many bytes have come. */
async function drain(fd: number, bytes: number): Promise<string> {
  const parts: Buffer[] = [];
  for (let read = 0; read < bytes;) {
    const buffer = Buffer.alloc(4096);
    try {
      const length = readSync(fd, buffer);
      parts.push(buffer.subarray(0, length));
      read += length;
    } catch (error) {
      expect(error).toMatchObject({ code: 'EAGAIN' });
      await sleep(5);
    }
  }
  return Buffer.concat(parts).toString();
}

describe('a standard stream', () => {
  it('writes to a file at once, and Node is not asked for its stream', async () => {
    const file = path.join(await tempFolder('ü out'), 'out');
    const fd = openSync(file, 'w');
    const stream = createStandardStream(fd, never, never);
    stream.write('ä\n');
    stream.write('€\n');
    expect(readFileSync(file, 'utf8')).toBe('ä\n€\n');
    expect([stream.isTTY, stream.columns, stream.rows]).toEqual([false, undefined, undefined]);
    await stream.drained();
    closeSync(fd);
  });

  it('leaves to Node what a pipe does not take at once, in the order in which it came', async () => {
    const fd = await hastyPipe();
    const socket = new Socket({ fd, readable: false, writable: true });
    onTestFinished(() => void socket.destroy());
    const stream = createStandardStream(fd, () => socket as unknown as NodeJS.WriteStream, never);
    const [long, short] = ['ä0123456789€'.repeat(50_000), 'the end'];
    stream.write(long);
    stream.write(short);
    let isDrained = false;
    const drained = stream.drained().then(() => (isDrained = true));
    await sleep(0);
    expect(isDrained).toBe(false);
    expect(await drain(fd, Buffer.byteLength(long + short))).toBe(long + short);
    await drained;
  });

  it('tells what the system refuses, and throws nothing', () => {
    const fd = openSync('/dev/null', 'r');
    onTestFinished(() => closeSync(fd));
    const refused: unknown[] = [];
    createStandardStream(fd, never, (error) => refused.push(error)).write('text');
    expect(refused).toMatchObject([{ code: 'EBADF' }]);
  });

  it('takes no device but a terminal for one', () => {
    const fd = openSync('/dev/null', 'w');
    onTestFinished(() => closeSync(fd));
    const opened = { isTTY: undefined, columns: 42, rows: 42, on: () => opened };
    const stream = createStandardStream(fd, () => opened as unknown as NodeJS.WriteStream, never);
    expect([stream.isTTY, stream.columns, stream.rows]).toEqual([false, undefined, undefined]);
  });

  it('asks Node about a terminal', () => {
    const fd = openSync('/dev/null', 'w');
    onTestFinished(() => closeSync(fd));
    const opened = { isTTY: true, columns: 42, rows: 7, on: () => opened };
    const stream = createStandardStream(fd, () => opened as unknown as NodeJS.WriteStream, never);
    expect([stream.isTTY, stream.columns, stream.rows]).toEqual([true, 42, 7]);
    // As where nobody has told a pseudoterminal how large it is.
    Object.assign(opened, { columns: 0, rows: 0 });
    expect([stream.columns, stream.rows]).toEqual([undefined, undefined]);
  });
});
