import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatLock } from '../../src/lock/codec.ts';
import { lockOf } from '../support/locks.ts';
import { describeNix, LIBRARY, nixString, PKGS } from '../support/nix.ts';
import { callPython, describeClients } from '../support/python.ts';
import { type FileServer, serveFiles } from './file-server.ts';
import { makeRepository } from './repository.ts';

const model = await makeRepository({
  files: { 'config.json': '{}', 'chat_template.jinja': 'theirs' },
  lfs: { 'model.safetensors': 'weights' },
});
const dataset = await makeRepository({ type: 'dataset', files: { 'README.md': 'text' } });

describeNix('importLock', (nix) => {
  let server: FileServer;
  let lock: string;
  let mine: string;
  beforeAll(async () => {
    server = await serveFiles(new Map([...model.addresses, ...dataset.addresses]));
    lock = path.join(nix().folder, 'hug.lock.json');
    const same = { ...model.entry, ref: 'v1' };
    const locked = lockOf({ m: model.entry, same }, { datasets: new Map([['d', dataset.entry]]) });
    await writeFile(lock, formatLock(locked));
    mine = path.join(nix().folder, 'mine.jinja');
    await writeFile(mine, 'mine');
  });
  afterAll(() => server.close());

  const library = () => `(${LIBRARY} { pkgs = ${PKGS}; endpoint = "${server.endpoint}"; })`;
  const importing = (argument: string) => `(${library()}.importLock ${argument})`;
  const withOverrides = (overrides: string, file: string = nixString(lock)) =>
    importing(`{ lock = ${file}; overrides = ${overrides}; }`);
  const pathOf = (file: string) => `(/. + ${nixString(file)})`;

  describe('with overrides', () => {
    it('has the files of the user in place of locked ones, and beside them', async () => {
      const files = `{ "chat_template.jinja" = ${pathOf(mine)}; "extra/tokenizer.json" = builtins.toFile "t" "added"; }`;
      const hug = withOverrides(`{ models.m = ${files}; }`);
      const built = await nix().build(`${hug}.models.m`);
      const read = (name: string) => readFile(path.join(built, name), 'utf8');
      expect(await read('chat_template.jinja')).toBe('mine');
      expect(await read('extra/tokenizer.json')).toBe('added');
      expect(await read('model.safetensors')).toBe('weights');
      expect(await readFile(await nix().build(`${hug}.models.m.files."config.json"`), 'utf8')).toBe(
        '{}',
      );
    });

    it('downloads no file that is replaced', async () => {
      const before = server.requests.length;
      const hug = withOverrides(`{ datasets.d."README.md" = ${pathOf(mine)}; }`);
      const built = await nix().build(`${hug}.datasets.d`);
      expect(await readFile(path.join(built, 'README.md'), 'utf8')).toBe('mine');
      expect(server.requests.length).toBe(before);
    });

    it('has them in a cache, without a line in its list and a mark that they are absent', async () => {
      const files = `{ "chat_template.jinja" = ${pathOf(mine)}; "tokenizer.json" = ${pathOf(mine)}; }`;
      const hug = withOverrides(`{ models.m = ${files}; }`);
      const cache = await nix().build(
        `${library()}.buildCache { models = [ ${hug}.models.m ${hug}.models.same ]; }`,
      );
      const repository = path.join(cache, 'models--org--name');
      const { rev } = model.entry;
      const snapshot = path.join(repository, 'snapshots', rev);
      expect(await readFile(path.join(snapshot, 'chat_template.jinja'), 'utf8')).toBe('mine');
      expect(await readFile(path.join(snapshot, 'tokenizer.json'), 'utf8')).toBe('mine');
      const list = JSON.parse(
        await readFile(path.join(repository, 'trees', `${rev}.json`), 'utf8'),
      );
      expect(Object.keys(list.files).toSorted()).toEqual(['config.json', 'model.safetensors']);
      const absent = await readdir(path.join(repository, '.no_exist', rev));
      expect(absent).toContain('tokenizer_config.json');
      expect(absent).not.toContain('tokenizer.json');
    });

    describeClients((client) => {
      it('gives them to programs, offline', async () => {
        const files = `{ "chat_template.jinja" = ${pathOf(mine)}; "tokenizer.json" = ${pathOf(mine)}; }`;
        const hug = withOverrides(`{ models.m = ${files}; }`);
        const HF_HUB_CACHE = await nix().build(
          `${library()}.buildCache { models = [ ${hug}.models.m ]; }`,
        );
        const calls = ['chat_template.jinja', 'tokenizer.json', 'config.json'].map((filename) => ({
          call: 'hf_hub_download',
          args: { repo_id: 'org/name', filename },
        }));
        const settings = {
          home: path.join(nix().folder, `home-${client.version}`),
          endpoint: server.endpoint,
          env: { HF_HUB_CACHE, HF_HUB_OFFLINE: '1' },
        };
        const outcomes = await callPython(client, settings, calls);
        const texts = outcomes.map(async (outcome) =>
          'value' in outcome ? readFile(String(outcome.value), 'utf8') : outcome.message,
        );
        expect(await Promise.all(texts)).toEqual(['mine', 'mine', '{}']);
      });
    });

    it('refuses two files of the user for one path of a commit', async () => {
      const file = (text: string) => `{ "config.json" = builtins.toFile "c" "${text}"; }`;
      const hug = withOverrides(`{ models = { m = ${file('1')}; same = ${file('2')}; }; }`);
      expect(await nix().evaluationError(`${hug}.cache.outPath`)).toContain(
        `nix-hug: buildCache: "config.json" of org/name at ${model.entry.rev} has several overrides ` +
          'in models.m, models.same; leave all but one of them out',
      );
    });

    it.each([
      ['{ model.m = { }; }', 'overrides.model is neither models nor datasets'],
      ['{ models.x = { }; }', 'overrides.models.x is not in the lock'],
      ['{ models.m = ./.; }', 'overrides.models.m is not a set of files'],
      ['{ models.m."../x" = ./x; }', 'overrides.models.m."../x" is not a path inside'],
      ['{ models.m."x" = "text"; }', 'overrides.models.m."x" is neither a path nor a derivation'],
      ['{ models.m."config.json/x" = ./x; }', 'lies below a path that is a file'],
    ])('says what is wrong with %s', async (overrides, message) => {
      const error = await nix().evaluationError(`${withOverrides(overrides)}.models.m.outPath`);
      expect(error).toContain(`nix-hug: importLock: `);
      expect(error).toContain(message);
    });

    it('refuses an argument that it does not know', async () => {
      const hug = importing(`{ lock = ${nixString(lock)}; override = { }; }`);
      expect(await nix().evaluationError(`${hug}.models.m.rev`)).toContain(
        'unknown argument override; it takes lock, overrides and policy',
      );
    });
  });

  describe('reads', () => {
    it.each([
      ['a path', () => pathOf(lock)],
      ['the path as text', () => nixString(lock)],
      ['a flake input that is a file', () => `{ outPath = ${nixString(lock)}; narHash = ""; }`],
      ['its content', () => `(builtins.fromJSON (builtins.readFile ${nixString(lock)}))`],
    ])('%s', async (_case, argument) => {
      expect(await nix().evaluate(`${importing(argument())}.models.m.rev`)).toBe(model.entry.rev);
      const options = `{ lock = ${argument()}; }`;
      expect(await nix().evaluate(`${importing(options)}.models.m.rev`)).toBe(model.entry.rev);
    });

    it.each([
      ['a folder', () => pathOf(nix().folder), 'a folder; pass the hug.lock.json in it'],
      [
        'a flake input that is a folder',
        () => `{ outPath = ${nixString(nix().folder)}; }`,
        'a folder',
      ],
      [
        'a YAML file',
        () => pathOf(path.join(nix().folder, 'hug.yaml')),
        'a YAML file; pass the hug',
      ],
      ['null', () => 'null', 'of type null; pass a path'],
      ['a number', () => '1', 'of type int'],
      ['the text of a lock', () => `(builtins.readFile ${nixString(lock)})`, 'a text; pass a path'],
    ])('no lock from %s', async (_case, argument, message) => {
      await mkdir(nix().folder, { recursive: true });
      const error = await nix().evaluationError(`${importing(argument())}.models.m.rev`);
      expect(error).toContain(`nix-hug: the lock is ${message}`);
    });
  });
});
