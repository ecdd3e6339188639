import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Hub, lfs, startHub } from '../support/hub/index.ts';
import { callPython, describeClients, type PythonCall } from '../support/python.ts';
import { tempFolder } from '../support/temp.ts';
import { messagesOf, patternOf } from '../support/troubleshooting.ts';

// Each message of huggingface_hub in docs/troubleshooting.md, as the client raises it.

let hub: Hub;

beforeAll(async () => {
  hub = await startHub();
  const files = { 'config.json': '{}\n', 'model.safetensors': lfs('weights') };
  await (await hub.createRepo({ type: 'model', id: 'org/name' })).commit({ files });
  const gated = await hub.createRepo({ type: 'model', id: 'org/gated', gated: 'manual' });
  await gated.commit({ files });
});
afterAll(() => hub.close());

const OFFLINE = { HF_HUB_OFFLINE: '1' };
const ONLINE = {};

/** The calls that raise the messages of the page; the keys are these messages. */
const CALLS: Readonly<Record<string, readonly [PythonCall, Readonly<Record<string, string>>]>> = {
  'LocalEntryNotFoundError: Cannot find an appropriate cached snapshot folder for the specified revision':
    [{ call: 'snapshot_download', args: { repo_id: 'org/name' } }, OFFLINE],
  'LocalEntryNotFoundError: An error happened while trying to locate the file on the Hub and we cannot find the requested files in the local cache':
    [{ call: 'hf_hub_download', args: { repo_id: 'org/name', filename: 'config.json' } }, OFFLINE],
  'OfflineModeIsEnabled: Cannot reach …: offline mode is enabled': [
    { call: 'model_info', args: { repo_id: 'org/name' } },
    OFFLINE,
  ],
  'GatedRepoError: … Cannot access gated repo for url …': [
    { call: 'snapshot_download', args: { repo_id: 'org/gated' } },
    ONLINE,
  ],
  'RevisionNotFoundError: … Revision Not Found for url: …': [
    { call: 'snapshot_download', args: { repo_id: 'org/name', revision: 'dev' } },
    ONLINE,
  ],
  'RemoteEntryNotFoundError: … Entry Not Found for url: …': [
    { call: 'hf_hub_download', args: { repo_id: 'org/name', filename: 'none' } },
    ONLINE,
  ],
};

it('are all of those that the page has of huggingface_hub', () => {
  expect(Object.keys(CALLS)).toEqual(messagesOf('client'));
});

describeClients((client) => {
  for (const [message, [call, env]] of Object.entries(CALLS)) {
    it(message, async () => {
      const settings = { home: await tempFolder(), endpoint: hub.endpoint, env };
      const [outcome] = await callPython(client, settings, [call]);
      if (outcome === undefined || !('error' in outcome)) expect.unreachable('it raised nothing');
      const text = `${outcome.error}: ${outcome.message}`.replaceAll(/\s+/gu, ' ');
      expect(text).toMatch(patternOf(message));
    });
  }
});
