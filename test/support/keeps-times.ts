import { statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';

/**
 * Whether scans keep anything of temporary folders: on Linux, unless these are on layers (overlayfs),
 * as in some containers.
 */
export const keepsTimes = process.platform === 'linux' && statfsSync(tmpdir()).type !== 0x794c_7630;
