import { readFileSync, writeFileSync } from 'node:fs'
import { fillSections } from './sections.ts'
import { TABLES } from './tables.ts'

const file = new URL('../../docs/scenarios.md', import.meta.url)
writeFileSync(file, fillSections(readFileSync(file, 'utf8'), TABLES))
