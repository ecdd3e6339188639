#!/usr/bin/env node
// Starts the command. Where Node can (22.1 and later), it keeps the code that it compiles for the next
// run: in the user's cache folder, since in a temporary folder others could lay code ready.
const { existsSync } = require('node:fs');
const nodeModule = require('node:module');
const { homedir } = require('node:os');
const path = require('node:path');

const cache = process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache');
if (path.isAbsolute(cache) && existsSync(cache)) {
  nodeModule.enableCompileCache?.(path.join(cache, 'nix-hug', 'node'));
}
require(path.join(__dirname, 'bin.cjs'));
