import { mkdir, readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import { createHttp } from '../src/hub/http.ts';
import type { RemoteFile } from '../src/download/response.ts';
import { createDownloads } from '../src/download/downloads.ts';

// Brings the files of a list (JSON) into a folder, as `nix-hug fetch` does with those of a lock.
const [, , endpoint = '', list = '', folder = ''] = process.argv;
const files: RemoteFile[] = JSON.parse(await readFile(list, 'utf8'));
const http = createHttp({ endpoint, userAgent: 'nix-hug-bench' });
const { signal } = new AbortController();
const downloads = createDownloads({ http, folder: path.join(folder, 'partial'), signal });
await mkdir(folder, { recursive: true });
await Promise.all(
  files.map(async (file, index) => {
    const download = await downloads.fetch(file, () => undefined);
    await rename(download.path, path.join(folder, String(index)));
    await download.discard();
  }),
);
await http.close();
