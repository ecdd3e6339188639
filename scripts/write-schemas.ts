import { writeFile } from 'node:fs/promises';
import { JSON_SCHEMAS } from './json-schema.ts';

for (const [name, text] of Object.entries(JSON_SCHEMAS)) {
  await writeFile(new URL(`../schemas/${name}`, import.meta.url), text);
}
