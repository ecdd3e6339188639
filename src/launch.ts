#!/usr/bin/env node
import path from 'node:path';
import process from 'node:process';
import { loadProgram } from './compiled.ts';

const { ended } = loadProgram(path.join(import.meta.dirname, 'bin.cjs')).run();
// At once, without giving back memory that ends with the process.
void Promise.resolve(ended).then(() => process.exit());
