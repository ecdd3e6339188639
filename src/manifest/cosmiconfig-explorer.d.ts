/** Cosmiconfig keeps the types of this class to itself. */
declare module 'cosmiconfig/dist/ExplorerSync.js' {
  import type { Options, PublicExplorerSync } from 'cosmiconfig';

  /** A folder that is searched: one from the working directory upward, or that of the user. */
  export interface SearchedFolder {
    readonly path: string;
    readonly isGlobalConfig: boolean;
  }

  export class ExplorerSync {
    constructor(options: Partial<Options> & { readonly moduleName: string });
    search: PublicExplorerSync['search'];
    /** Called for each folder before its files are read. */
    getSearchPlacesForDir(folder: SearchedFolder, ofUser: readonly string[]): string[];
  }
}
