import { EXIT } from '../../errors.ts';
import { listingJson, listingText } from '../listing.ts';
import { endpointOfManifest, type ProjectContext } from '../project.ts';
import { type RemoteOptions, wantedOf } from '../remote/remote-options.ts';
import { lookUp, type RemoteContext, withHub } from '../remote/remote.ts';
import type { CommandResult } from '../result.ts';

/** `nix-hug ls <url>`: the files of a repository; nothing is downloaded. */
export async function run(
  url: string,
  options: RemoteOptions,
  context: RemoteContext & ProjectContext,
): Promise<CommandResult> {
  const endpoint = endpointOfManifest(context);
  const wanted = wantedOf(url, options, endpoint, context.endpoint);
  const remote = await withHub(context, (hub) => lookUp(hub, wanted, context.warn), endpoint);
  return {
    text: (columns) => listingText(remote, columns),
    json: listingJson(remote),
    exitStatus: EXIT.ok,
  };
}
