/** @public */
export { type FileContent, lfs } from './content.ts';
export type { Fault } from './fault.ts';
export type { FaultRule, Injection } from './faults.ts';
export { type Hub, startHub } from './hub.ts';
export type { Repository } from './repository.ts';
/** @public */
export type { LoggedRequest } from './server.ts';
