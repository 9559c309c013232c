import { DiskStore } from '../../src/store/disk-store.ts'

/** Holds the store of a directory until it is killed. */
const [directory = ''] = process.argv.slice(2)
await DiskStore.open(directory)
console.log('open')
setInterval(() => {}, 60_000)
