import { describeBlobs } from './blobs-contract.ts'

describeBlobs('memory')
