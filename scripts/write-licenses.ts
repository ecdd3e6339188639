import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

// Prints the licences of the packages in bundles, which ask for that.
// Its arguments are what esbuild notes about each bundle (esbuild.github.io/api/#metafile).
const inputs = process.argv.slice(2).flatMap((metafile) => {
  const noted: { inputs: Record<string, unknown> } = JSON.parse(readFileSync(metafile, 'utf8'));
  return Object.keys(noted.inputs);
});
const folders = inputs.flatMap((input) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/u.exec(input) ?? []);

const sections = [...new Set(folders)].toSorted().map((folder) => {
  const { name, version, license } = JSON.parse(
    readFileSync(path.join(folder, 'package.json'), 'utf8'),
  );
  const file = readdirSync(folder).find((each) => /^licen[cs]e/iu.test(each));
  const text = file === undefined ? license : readFileSync(path.join(folder, file), 'utf8').trim();
  return `${name} ${version}\n\n${text}\n`;
});
process.stdout.write(sections.join(`\n${'-'.repeat(80)}\n\n`));
