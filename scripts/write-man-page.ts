import { writeFile } from 'node:fs/promises';
import { manPage } from './docs/man-page.ts';

await writeFile(new URL('../dist/nix-hug.1', import.meta.url), manPage());
