import neostandard from 'neostandard'
import tseslint from 'typescript-eslint'
import type { Linter } from 'eslint'

/** Packages that only src/net and src/routing/dht.ts may know. */
const libp2p = { regex: '^(libp2p|@libp2p/|@chainsafe/libp2p|@multiformats/|datastore-level|it-length-prefixed)', message: 'libp2p stays in src/net and src/routing/dht.ts' }
const executable = { regex: '(^|/)(agent|scenarios|bench|test)/', message: 'src imports nothing of agent, scenarios, bench or test' }
const fastify = { regex: '^(@?fastify|commander|pino|prom-client|cli-progress)', message: 'src is a library: HTTP, CLI, log and metrics live in agent' }
const io = { regex: '^node:(fs|net|http|https|tls|dgram|timers|worker_threads|child_process|process)', message: 'this room is pure: no I/O, no timers' }

/** The harness drives the library; the agent it knows as a process. */
const agentOfHarness = { regex: '(^|/)agent/(?!api-types)', message: 'scenarios knows the agent as a process that it starts' }

/** What a room of src must not import: DESIGN, "The house". */
function room (name: string, forbiddenRooms: string[], extra: Array<{ regex: string, message: string }> = [libp2p]): Linter.Config {
  const rooms = forbiddenRooms.map(other => ({ regex: `^\\.\\./${other}/`, message: `src/${name} does not import src/${other}` }))
  return {
    files: [`src/${name}/**/*.ts`],
    rules: { 'no-restricted-imports': ['error', { patterns: [executable, fastify, ...extra, ...rooms] }] }
  }
}

const boundaries: Linter.Config[] = [
  { files: ['scenarios/**/*.ts'], rules: { 'no-restricted-imports': ['error', { patterns: [agentOfHarness, libp2p] }] } },
  { files: ['src/*.ts'], rules: { 'no-restricted-imports': ['error', { patterns: [executable, fastify, libp2p] }] } },
  room('values', ['oci', 'swarm', 'exchange', 'store', 'origin', 'routing', 'net', 'pull'], [libp2p, io]),
  room('oci', ['swarm', 'store', 'origin', 'routing', 'net', 'pull'], [libp2p, io]),
  room('swarm', ['store', 'origin', 'routing', 'net', 'pull'], [libp2p, io]),
  room('store', ['swarm', 'origin', 'routing', 'net', 'pull']),
  room('origin', ['swarm', 'store', 'routing', 'net', 'pull']),
  room('routing', ['store', 'origin', 'pull']),
  { ...room('routing', ['store', 'origin', 'pull'], []), files: ['src/routing/dht.ts'] },
  room('net', ['store', 'origin', 'pull'], []),
  room('pull', [])
]

export default [
  { ignores: ['dist', 'coverage', 'node_modules', '.vitest'] },
  ...neostandard({ ts: true }),
  ...tseslint.configs.recommendedTypeChecked.map(config => ({ ...config, files: ['**/*.ts'] })),
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { arguments: false, attributes: false } }],
      '@typescript-eslint/return-await': ['error', 'in-try-catch'],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/restrict-template-expressions': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'no-restricted-properties': 'off'
    }
  },
  { files: ['src/**/*.ts'], rules: { 'no-restricted-globals': ['error', { name: 'process', message: 'src is a library: no process.*' }] } },
  ...boundaries
] as Linter.Config[]
