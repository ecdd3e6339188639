#!/usr/bin/env node
// Starts the command. Node 22.1 and later keep the compiled code for the next run, in the user's cache
// folder: in a shared temporary folder, another user could plant code. Without such a folder, as in a
// build of Nix, nothing is kept.
const { existsSync } = require('node:fs');
const nodeModule = require('node:module');
const { homedir } = require('node:os');
const path = require('node:path');

const cache = process.env.XDG_CACHE_HOME || path.join(homeFolder(), '.cache');
if (path.isAbsolute(cache) && existsSync(cache)) {
  nodeModule.enableCompileCache?.(path.join(cache, 'nix-hug', 'node'));
}
require(path.join(__dirname, 'bin.cjs'));

/** Without a home folder, the command itself says so where it needs one. */
function homeFolder() {
  try {
    return homedir();
  } catch {
    return '';
  }
}
