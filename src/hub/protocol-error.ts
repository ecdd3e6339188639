import { HugError } from '../errors.ts';

/** The error for an answer that no Hub gives: something else may answer in its place. */
export const protocolError = (message: string, cause?: unknown): HugError =>
  new HugError('EHUG_PROTOCOL', message, {
    hint: 'Is HF_ENDPOINT the address of a Hub? Does a proxy or a login page answer instead?',
    cause,
  });
