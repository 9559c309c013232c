import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    // Guards against what never ends, not against what is slow: with coverage, on a slow machine, a model of many swarms takes half a minute.
    testTimeout: 90_000,
    hookTimeout: 60_000,
    // Many tests wait for a clock or a disk: as many files at a time as there are processors in CI, where one fewer would be the default.
    maxWorkers: 2,
    reporters: process.env.CI === 'true' ? ['default', 'json'] : ['default'],
    outputFile: { json: '.vitest/results.json' },
    coverage: { provider: 'v8', include: ['src/**/*.ts', 'agent/**/*.ts', 'scenarios/**/*.ts'], reporter: ['text-summary', 'html'] },
    projects: [
      { extends: true, test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: ['test/e2e/**', 'test/library/**'] } },
      // Daemons, agents and large blobs: one file at a time, and not beside the others, or deadlines measure the machine. Cases of one
      // agent each may run two at a time.
      { extends: true, test: { name: 'e2e', include: ['test/e2e/**/*.test.ts'], maxConcurrency: 2, fileParallelism: false, sequence: { groupOrder: 1 } } },
      // Two simulations at a time, and nothing beside them: the largest needs minutes and most of a machine's memory.
      { extends: true, test: { name: 'library', include: ['test/library/**/*.test.ts'], testTimeout: 480_000, maxConcurrency: 2, fileParallelism: false, sequence: { groupOrder: 2 } } }
    ]
  }
})
