import { createAdder } from './adder.ts';
import type { Nix } from './nix.ts';
import { createPipeline, type ReportContent } from './pipeline.ts';
import type { LackingContent } from './plan.ts';

/** A content on disk, checked, and where it came from. */
export interface Supplied<Source> {
  readonly file: string;
  readonly source: Source;
  /** To be called when the file is in the store, or could not be added. */
  discard(): Promise<void>;
}

/** What brings contents into the store. */
export interface RealiseOptions<Source> {
  readonly nix: Pick<Nix, 'add'>;
  /** Brings a content to disk and checks it. */
  readonly supply: (content: LackingContent, report: ReportContent) => Promise<Supplied<Source>>;
}

/** Brings one content into the store under all its names. */
export type Realise<Source> = (content: LackingContent, report: ReportContent) => Promise<Source>;

/**
 * A pipeline from a supply into the store, for any number of contents at once.
 *
 * @returns the function for one content; it throws what `supply` and `Nix.add` throw, or `NotTried`
 */
export function createRealise<Source>({ nix, supply }: RealiseOptions<Source>): Realise<Source> {
  const pipeline = createPipeline();
  const addFile = createAdder((files) => nix.add(files));

  async function realise(content: LackingContent, report: ReportContent): Promise<Source> {
    const supplied = await supply(content, report);
    const { file, source } = supplied;
    try {
      report('adding to the store', content.size);
      const names = [...content.names];
      await Promise.all(names.map(([storePath, name]) => addFile({ file, name, storePath })));
    } finally {
      await supplied.discard();
    }
    return source;
  }

  return (content, report) => pipeline(() => realise(content, report));
}
