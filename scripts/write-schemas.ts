import { mkdir, writeFile } from 'node:fs/promises';
import { JSON_SCHEMAS } from './json-schema.ts';

for (const [name, text] of Object.entries(JSON_SCHEMAS)) {
  const file = new URL(`../schemas/${name}`, import.meta.url);
  await mkdir(new URL('.', file), { recursive: true });
  await writeFile(file, text);
}
