/** Cosmiconfig keeps the types of this class to itself. */
declare module 'cosmiconfig/dist/ExplorerSync.js' {
  import type { Options, PublicExplorerSync } from 'cosmiconfig';

  export const ExplorerSync: new (options: Partial<Options>) => Pick<PublicExplorerSync, 'search'>;
}
