import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
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
  await writeFile(file, text);
  return file;
}

const run = (file: string) => loadProgram(file).run();

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
    const expected = run(file)['name'];
    const cache = codeCachePath(file);
    const loaded = loadProgram(file);
    loaded.run();
    const code = loaded.codeCache();
    for (const content of [code, code.subarray(0, 100), Buffer.alloc(0), Buffer.from('garbage')]) {
      await writeFile(cache, content);
      expect(run(file)).toMatchObject({ runs: 1, name: expected });
    }
    await rm(cache);
    expect(run(file)).toMatchObject({ runs: 1, name: expected });
  });

  it('is not run from the compiled code of a longer text', async () => {
    const file = await program("exports.name = 'before that';");
    await writeFile(codeCachePath(file), loadProgram(file).codeCache());
    await writeFile(file, "exports.name = 'after';");
    expect(run(file)['name']).toBe('after');
  });
});
