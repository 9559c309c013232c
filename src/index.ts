export { ShoalError, DeadlineError } from './errors.ts'
export { EventHub, type EventSink, type ShoalEvent } from './events.ts'
export { parseDigest, digestOf, type Digest } from './oci/digest.ts'
