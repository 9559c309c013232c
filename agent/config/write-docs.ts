import { mkdirSync, writeFileSync } from 'node:fs'
import { renderConfigurationDocs } from './docs.ts'

const docs = new URL('../../docs/', import.meta.url)
mkdirSync(docs, { recursive: true })
writeFileSync(new URL('configuration.md', docs), renderConfigurationDocs())
