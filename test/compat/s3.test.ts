import { type ChildProcess, spawn } from 'node:child_process';
import { hash } from 'node:crypto';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatLock } from '../../src/lock/codec.ts';
import { type FileServer, serveFiles } from '../nix/file-server.ts';
import { makeRepository } from '../nix/repository.ts';
import { lockOf } from '../support/locks.ts';
import { createNix, LIBRARY, type Nix, nixString, PKGS } from '../support/nix.ts';

const SERVER = path.join(import.meta.dirname, '../../.cache/python/s3/bin/moto_server');
const SET_UP = 'scripts/setup-python.sh test/compat/requirements-s3.txt';

const MiB = 1024 ** 2;
const WEIGHTS = 'weights '.repeat((12 * MiB) / 8);
const model = await makeRepository({
  files: { 'config.json': '{}' },
  lfs: { 'model.bin': WEIGHTS },
});

/** A server of the S3 protocol with an empty bucket that anybody may read and write. */
interface Bucket {
  /** Address of the bucket over HTTP. */
  readonly address: string;
  /** The same for Nix, with what docs/binary-caches.md says. */
  readonly store: string;
  readonly close: () => void;
}

// The current Nix only: Debian builds Nix 2.8 without S3.
describe('a bucket of S3 as a binary cache', () => {
  let bucket: Bucket;
  let hub: FileServer;
  let first: Nix;
  let second: Nix;
  let expression: string;
  /** Store path of the model. */
  let built: string;

  /** Runs a command of Nix with credentials, which a Nix that signs its requests asks for. */
  const succeed = async (nix: Nix, ...command: readonly string[]) => {
    const credentials = ['AWS_ACCESS_KEY_ID=id', 'AWS_SECRET_ACCESS_KEY=secret'];
    const { status, stdout, stderr } = await nix.run('env', ...credentials, ...command);
    expect(status, stderr).toBe(0);
    return stdout.trim();
  };
  const copy = ['nix', '--extra-experimental-features', 'nix-command', 'copy'];

  beforeAll(async () => {
    bucket = await startBucket();
    hub = await serveFiles(model.addresses);
    first = await createNix('current');
    second = await createNix('current', first.storeDir);
    const lock = formatLock(lockOf({ m: model.entry }, { endpoint: hub.endpoint }));
    const imported = `(${LIBRARY} { pkgs = ${PKGS}; }).importLock`;
    expression = `(${imported} (builtins.fromJSON ${nixString(lock)})).models.m`;
    built = await first.build(expression);
    await hub.close();
    await succeed(first, ...copy, '--to', bucket.store, built);
  });
  afterAll(async () => {
    bucket.close();
    await first.close();
    await second.close();
  });

  it('takes a large file in parts', async () => {
    const list = await (await fetch(`${bucket.address}?list-type=2&prefix=nar/`)).text();
    const objects = [...list.matchAll(/<ETag>(?<etag>.*?)<\/ETag><Size>(?<size>\d+)/gu)];
    const large = objects.filter(({ groups }) => Number(groups?.['size']) > 12 * MiB);
    // The digest of an object that was sent in parts ends with their number.
    expect(large.map(({ groups }) => groups?.['etag'])).toEqual([
      expect.stringMatching(/-3(?:"|&quot;)$/u),
    ]);
  });

  it('gives a file without a signature, and the model unless signatures are asked for', async () => {
    const from = ['--option', 'substituters', bucket.store];
    const file = `${expression}.files."model.bin"`;
    const taken = await succeed(second, 'nix-build', '--no-out-link', ...from, '--expr', file);
    expect(await succeed(second, 'sha256sum', taken)).toContain(hash('sha256', WEIGHTS));
    await succeed(second, ...copy, '--no-check-sigs', '--from', bucket.store, built);
    expect(await succeed(second, 'cat', `${built}/config.json`)).toBe('{}');
    await succeed(second, 'nix-store', '--verify', '--check-contents');
  });
});

async function startBucket(): Promise<Bucket> {
  const server = spawn(SERVER, ['--host', '127.0.0.1', '--port', '0'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const host = await hostOf(server);
  const address = `http://${host}/models`;
  const policy = {
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Principal: '*', Action: 's3:*', Resource: 'arn:aws:s3:::models/*' },
    ],
  };
  await fetch(address, { method: 'PUT' });
  await fetch(`${address}?policy`, { method: 'PUT', body: JSON.stringify(policy) });
  const settings = [
    `endpoint=${host}`,
    'scheme=http',
    'region=eu-central-1',
    'compression=none',
    'multipart-upload=true',
    `multipart-threshold=${6 * MiB}`,
  ];
  return { address, store: `s3://models?${settings.join('&')}`, close: () => server.kill() };
}

/** Host and port of the server, which it prints when it listens. */
function hostOf(server: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let printed = '';
    server.once('error', () => reject(new Error(`There is no S3 server: run ${SET_UP}`)));
    server.once('exit', () => reject(new Error(printed)));
    server.stderr?.on('data', (text) => {
      printed += String(text);
      const host = /Running on http:\/\/(?<host>\S+:\d+)/u.exec(printed)?.groups?.['host'];
      if (host !== undefined) resolve(host);
    });
  });
}
