/** Cosmiconfig keeps the types of this class to itself. */
declare module 'cosmiconfig/dist/Explorer.js' {
  import type { Options, PublicExplorer } from 'cosmiconfig';

  export const Explorer: new (options: Partial<Options>) => Pick<PublicExplorer, 'search'>;
}
