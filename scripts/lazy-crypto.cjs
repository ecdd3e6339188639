// In place of `crypto` in the bundle: cosmiconfig and listr2 import it for this function alone, and it
// takes longer to load than a lock takes to check. The global one is loaded when it is first used.
exports.randomUUID = () => globalThis.crypto.randomUUID();
