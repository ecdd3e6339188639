import { mkdir, readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import pLimit from 'p-limit';
import { createHttp } from '../src/hub/http.ts';
import type { RemoteFile } from '../src/download/response.ts';
import { createDownloads } from '../src/download/downloads.ts';

// Downloads the files of a list (JSON) into a folder, as many at once as `nix-hug fetch`.
const [, , endpoint = '', list = '', folder = ''] = process.argv;
const files: RemoteFile[] = JSON.parse(await readFile(list, 'utf8'));
const http = createHttp({ endpoint, userAgent: 'nix-hug-bench' });
const { signal } = new AbortController();
const downloads = createDownloads({ http, folder: path.join(folder, 'partial'), signal });
await mkdir(folder, { recursive: true });
const filesAtOnce = pLimit(64);
await Promise.all(
  files.map((file, index) =>
    filesAtOnce(async () => {
      const download = await downloads.fetch(file, () => undefined);
      await rename(download.path, path.join(folder, String(index)));
      await download.discard();
    }),
  ),
);
await http.close();
