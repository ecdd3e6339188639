#!/usr/bin/env node
import path from 'node:path';
import { loadProgram } from './compiled.ts';

loadProgram(path.join(import.meta.dirname, 'bin.cjs')).run();
