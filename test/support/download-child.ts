import type { Digest } from '../../src/digest.ts';
import type { RemoteFile } from '../../src/download/response.ts';
import { downloadFile, type DownloadOptions } from './download.ts';

/** What a child process is told, as JSON in its argument. */
export interface ChildTask {
  readonly files: readonly RemoteFile[];
  readonly options: DownloadOptions;
}

/** What it reports, a line of JSON each. */
export type ChildReport =
  | { readonly present: number }
  | { readonly digests: readonly Digest[]; readonly peakBytes: number };

const report = (line: ChildReport): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

const { files, options }: ChildTask = JSON.parse(process.argv[2] ?? '');
const results = await Promise.all(
  files.map((file) =>
    downloadFile(file, { ...options, onBytes: (present) => report({ present }) }),
  ),
);
report({
  digests: results.map(({ digest }) => digest),
  peakBytes: process.resourceUsage().maxRSS * 1024,
});
