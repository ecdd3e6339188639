import type { Exported, ExportedFile } from '../copy/exported.ts';
import type { ExportSource } from '../copy/to-cache.ts';
import type { Output } from './json-schema.ts';

/** A commit that is in the Hugging Face cache now. */
export interface Written {
  readonly exported: Exported;
  /** Folder of the snapshot, under the id that was asked for. */
  readonly folder: string;
  readonly sourceOf: (file: ExportedFile) => ExportSource | undefined;
}

/** The text of `export`: where each model is, as the official client prints it. */
export function exportText(written: readonly Written[]): string {
  return written.map(({ folder }) => folder).join('\n');
}

/** The same as JSON, and where each file came from. */
export function exportJson(written: readonly Written[]): Output<'export'> {
  return {
    entries: written.map(({ exported, folder, sourceOf }) => {
      const { name, type, repo, ref, rev, files } = exported;
      return {
        name,
        type,
        repo,
        ref,
        rev,
        folder,
        files: files.map((file) => ({
          path: file.path,
          size: file.size,
          source: sourceOf(file) ?? 'cache',
        })),
      };
    }),
  };
}
