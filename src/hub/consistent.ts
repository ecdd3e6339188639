import type { HubApi } from './api.ts';

/**
 * A Hub that answers each question once. Entries of one repository then agree on its commits, even
 * when a branch moves while a command runs; a cache could not hold both.
 */
export function consistent(hub: HubApi): HubApi {
  return {
    ...hub,
    revision: once((...question: Parameters<HubApi['revision']>) => hub.revision(...question)),
    tags: once((...question: Parameters<HubApi['tags']>) => hub.tags(...question)),
    history: once((...question: Parameters<HubApi['history']>) => hub.history(...question)),
    tree: once((...question: Parameters<HubApi['tree']>) => hub.tree(...question)),
  };
}

/** The same function, which remembers its answers, failures too. */
function once<A extends readonly string[], T>(
  ask: (...question: A) => Promise<T>,
): (...question: A) => Promise<T> {
  const answers = new Map<string, Promise<T>>();
  return (...question) => {
    const key = JSON.stringify(question);
    const answer = answers.get(key) ?? ask(...question);
    answers.set(key, answer);
    return answer;
  };
}
