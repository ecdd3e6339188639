import { HugError } from '../errors.ts';

/** The error for arguments and options that make no sense together. */
export const usageError = (message: string, hint = 'See nix-hug --help.'): HugError =>
  new HugError('EHUG_USAGE', message, { hint });
