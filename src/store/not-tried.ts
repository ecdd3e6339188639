/**
 * Stands for a content that is not tried any more, because the surroundings had failed for others; it
 * may have been under way by then.
 */
export class NotTried extends Error {
  override readonly name = 'NotTried';
}
