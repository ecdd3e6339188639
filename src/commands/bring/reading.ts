import pLimit from 'p-limit';

/** Hashing keeps one core busy; two files at once keep the disk busy too. */
const MOST_READ_AT_ONCE = 2;

/** Makes what the files that are read to be hashed wait for. */
export const createReading = () => pLimit(MOST_READ_AT_ONCE);
