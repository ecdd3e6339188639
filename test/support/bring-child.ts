import type { RemoteFile } from '../../src/download/answer.ts';
import { bring, type BringOptions } from './bring.ts';

/** What a child process is told, as JSON in its argument. */
export interface ChildTask {
  readonly files: readonly RemoteFile[];
  readonly options: BringOptions;
}

/** What it reports, a line of JSON each. */
export type ChildReport =
  | { readonly present: number }
  | { readonly hashes: readonly string[]; readonly peakBytes: number };

const report = (line: ChildReport): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

const { files, options }: ChildTask = JSON.parse(process.argv[2] ?? '');
const results = await Promise.all(
  files.map((file) => bring(file, { ...options, onBytes: (present) => report({ present }) })),
);
report({
  hashes: results.map(({ hash }) => hash),
  peakBytes: process.resourceUsage().maxRSS * 1024,
});
