import { describeBlobs } from './blobs-contract.ts'

describeBlobs('disk')
