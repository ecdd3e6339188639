import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Makes a named pipe; whoever opens it without care waits for ever. */
export async function makePipe(file: string): Promise<void> {
  await promisify(execFile)('mkfifo', [file]);
}
