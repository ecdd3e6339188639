import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Script } from 'node:vm';

/**
 * A program in one file: an expression that is a function with some of the parameters of a CommonJS
 * module, `(function (module, exports, require, __dirname) { … })`.
 */
export interface Program {
  /** Whether V8 took compiled code for it. */
  readonly isCompiled: boolean;
  /** Runs it and returns what it exports. Each run has its own state. */
  run(): Readonly<Record<string, unknown>>;
  /** What V8 has compiled of it by now, for the next process. */
  codeCache(): Uint8Array;
}

/** Where the compiled code of a program lies: beside it. */
export const codeCachePath = (file: string): string => `${file}.cache`;

/**
 * Loads a program with the code that V8 compiled of it in another process, where there is such code.
 * V8 itself refuses what another version of it, or other flags, have made, and compiles anew then
 * (https://v8.dev/blog/code-caching-for-devs). Of the text it compares the length only: both files
 * are to come from one build.
 *
 * @param file path of the program
 */
export function loadProgram(file: string): Program {
  const text = readFileSync(file, 'utf8');
  const cachedData = codeCacheOf(file);
  const script = new Script(text, {
    filename: file,
    ...(cachedData === undefined ? {} : { cachedData }),
  });
  return {
    isCompiled: cachedData !== undefined && script.cachedDataRejected === false,
    run() {
      const module = { exports: {} };
      const main = script.runInThisContext();
      main(module, module.exports, requireFrom(file), path.dirname(file));
      return module.exports;
    },
    codeCache: () => script.createCachedData(),
  };
}

/** Modules of Node that take long to load, and that a command may not come to use. */
const LATE: ReadonlySet<string> = new Set(
  ['child_process', 'crypto', 'fs/promises', 'readline'].flatMap((name) => [name, `node:${name}`]),
);

/**
 * The `require` of a file. Some modules of Node it loads when something of them is used for the first
 * time, and Node's own `require` when another module than Node's is asked for.
 */
function requireFrom(file: string): (id: string) => unknown {
  return (id) => {
    const find = (): object | undefined => process.getBuiltinModule(id);
    if (!LATE.has(id)) {
      return find() ?? process.getBuiltinModule('node:module').createRequire(file)(id);
    }
    const loaded = () => find() ?? {};
    return new Proxy(
      {},
      {
        get: (_target, name) => Reflect.get(loaded(), name),
        has: (_target, name) => Reflect.has(loaded(), name),
        ownKeys: () => Reflect.ownKeys(loaded()),
      },
    );
  };
}

function codeCacheOf(file: string): Buffer | undefined {
  try {
    return readFileSync(codeCachePath(file));
  } catch {
    // The npm package has none: nobody knows which Node will run it.
    return undefined;
  }
}
