/** Stands for a content that was not tried, because the surroundings had failed for another. */
export class NotTried extends Error {
  override readonly name = 'NotTried';
}
