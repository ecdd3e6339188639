import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { codeCachePath, loadProgram } from '../src/compiled.ts';
import { tempFolder } from './support/temp.ts';

const PROGRAM = `
  const path = require('node:path');
  let runs = 0;
  function count() { runs += 1; return runs; }
  exports.runs = count();
  exports.name = path.basename(__dirname);
  exports.fails = () => { throw new Error('ä€'); };
`;

async function program(text = PROGRAM): Promise<string> {
  const file = path.join(await tempFolder('ü program'), 'program.cjs');
  await writeFile(file, `(function (module, exports, require, __dirname) {${text}})`);
  return file;
}

const run = (file: string) => loadProgram(file).run();

/** Runs a program in a process of its own: within one V8 keeps what it has compiled of a text. */
async function runAnew(file: string, then = ''): Promise<unknown> {
  const script = `
    import { writeFileSync } from 'node:fs';
    import { codeCachePath, loadProgram } from ${JSON.stringify(import.meta.resolve('../src/compiled.ts'))};
    const file = process.argv[1];
    const program = loadProgram(file);
    console.log(JSON.stringify({ isCompiled: program.isCompiled, ...program.run() }));
    ${then}`;
  const flags = ['--import', import.meta.resolve('tsx'), '--input-type=module', '--eval'];
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, script, file]);
  return JSON.parse(stdout);
}

const KEEP_CODE = 'writeFileSync(codeCachePath(file), program.codeCache());';

describe('a program in one file', () => {
  it('runs as a module does, anew each time', async () => {
    const file = await program();
    const loaded = loadProgram(file);
    expect([loaded.run(), loaded.run()]).toMatchObject([{ runs: 1 }, { runs: 1 }]);
    expect(run(file)['name']).toBe(path.basename(path.dirname(file)));
  });

  it('names its own lines in errors', async () => {
    const file = await program();
    const stack = expect.stringContaining(`${file}:7:`);
    expect(run(file)['fails']).toThrow(expect.objectContaining({ message: 'ä€', stack }));
  });

  it('runs alike with compiled code, with none, and with what V8 refuses', async () => {
    const file = await program();
    const name = path.basename(path.dirname(file));
    const cache = codeCachePath(file);
    expect(await runAnew(file, KEEP_CODE)).toEqual({ isCompiled: false, runs: 1, name });
    expect(await runAnew(file)).toEqual({ isCompiled: true, runs: 1, name });
    const code = await readFile(cache);
    for (const content of [code.subarray(0, 100), Buffer.alloc(0), Buffer.from('garbage')]) {
      await writeFile(cache, content);
      expect(await runAnew(file)).toEqual({ isCompiled: false, runs: 1, name });
    }
  });

  it('is not run from the compiled code of a longer text', async () => {
    const file = await program("exports.name = 'before that';");
    await runAnew(file, KEEP_CODE);
    await writeFile(file, '(function (module, exports) { exports.name = "after"; })');
    expect(await runAnew(file)).toEqual({ isCompiled: false, name: 'after' });
  });
});

describe('a module of Node that takes long to load', () => {
  it('can be used in every way', async () => {
    const uses = [
      "crypto.createHash('sha1').digest('hex').length",
      "'createHash' in crypto ? 40 : 0",
      "Object.getOwnPropertyNames(crypto).includes('createHash') ? 40 : 0",
    ];
    for (const use of uses) {
      const file = await program(`const crypto = require('node:crypto'); exports.digits = ${use};`);
      expect(run(file)).toEqual({ digits: 40 });
    }
  });

  it('is not loaded by a command that has no use for it', async () => {
    const script = `process.on('exit', () => console.error(process.moduleLoadList.join('\\n')))`;
    const hook = path.join(await tempFolder('hook'), 'hook.cjs');
    await writeFile(hook, script);
    const { stderr } = await promisify(execFile)(process.execPath, [
      '--require',
      hook,
      path.join(import.meta.dirname, '..', 'dist', 'launch.cjs'),
      '-C',
      path.join(import.meta.dirname, '..', 'examples', 'many-models'),
      'lock',
      '--check',
    ]);
    const native = new Set(stderr.split('\n'));
    expect(native).toContain('NativeModule vm');
    for (const name of ['crypto', 'child_process', 'fs/promises', 'net', 'readline', 'stream']) {
      expect(native).not.toContain(`NativeModule ${name}`);
    }
  });
});

it('the command is built with compiled code that V8 takes', () => {
  const { isCompiled } = loadProgram(path.join(import.meta.dirname, '..', 'dist', 'bin.cjs'));
  expect(isCompiled).toBe(true);
});
