import { z } from 'zod'
import { count, dialMultiaddr, directAddress, duration, flag, hostName, keyFile, list, listenAddress, listenMultiaddr, oneOf, originUrl, path, peerId, rate, registryHost, zoneName } from './value-types.ts'

/** What a default may depend on. */
export interface DefaultContext {
  readonly dataHome: string
  readonly isTerminal: boolean
}

interface KeyMeta {
  /** One or two sentences for `--help` and the documentation; says what it is for, not its type. */
  readonly description: string
  /** How the value is called in `--help`; none: on or off. */
  readonly argument?: string
  /** Where the flag is not the key in kebab case. */
  readonly flag?: string
  /** A default that is known only at start. */
  readonly computed?: { readonly text: string, readonly value: (context: DefaultContext) => unknown }
}

/** Descriptions of keys by schema. */
export const keyMeta = z.registry<KeyMeta>()

function key<T extends z.ZodType> (schema: T, description: string, meta: Omit<KeyMeta, 'description'> = {}): T {
  keyMeta.add(schema, { ...meta, description })
  return schema
}

const originEntry = z.strictObject({
  url: key(originUrl(), 'Base URL in place of `https://HOST`; its path goes before every name, as pull-through projects want it.', { argument: 'URL' }),
  realms: key(list(registryHost()).prefault([]), 'Further hosts that may be given the credentials when the registry names them as its token server.', { argument: 'HOST' }),
  username: key(z.string({ error: 'a name' }).min(1, { error: 'a name' }).optional(), 'Name to log in with; needs `passwordFile`.', { argument: 'NAME' }),
  passwordFile: key(path('a file').optional(), 'File whose first line is the password or token; needs `username`.', { argument: 'FILE' }),
  ca: key(path('a PEM file').optional(), 'PEM file with certificate authorities to trust besides the well-known ones.', { argument: 'FILE' }),
  cert: key(path('a PEM file').optional(), 'PEM file with the client certificate; needs `key`.', { argument: 'FILE' }),
  key: key(path('a PEM file').optional(), 'PEM file with the client certificate\'s key; needs `cert`.', { argument: 'FILE' })
}, { error: 'a URL or a mapping with url' })
  .refine(entry => (entry.username === undefined) === (entry.passwordFile === undefined), { error: 'username and passwordFile together' })
  .refine(entry => (entry.cert === undefined) === (entry.key === undefined), { error: 'cert and key together' })

/** A URL alone stands for an entry with nothing else. */
const origin = z.preprocess(value => typeof value === 'string' ? { url: value } : value, originEntry)

const timeouts = z.strictObject({
  originConnect: key(duration().prefault('3s'), 'Until a registry has taken the connection.', { argument: 'DURATION' }),
  manifest: key(duration().prefault('3s'), 'Until a registry has answered for a tag or manifest.', { argument: 'DURATION' }),
  blobFirstByte: key(duration().prefault('5s'), 'Until a registry has sent the first byte of a blob.', { argument: 'DURATION' }),
  stall: key(duration().prefault('10s'), 'Silence in the middle of a blob after which its source is given up.', { argument: 'DURATION' }),
  peerDial: key(duration().prefault('3s'), 'Until another agent has taken the connection.', { argument: 'DURATION' }),
  peerFirstByte: key(duration().prefault('3s'), 'Until another agent has sent the first byte.', { argument: 'DURATION' })
}, { error: 'a mapping' })

/** The one place where a key is defined: flags, environment, YAML, defaults, `--help` and docs/configuration.md follow from it. */
export const configSchema = z.strictObject({
  data: key(path('a directory'), 'Directory of the content store, the identity and the database; one agent each.',
    { argument: 'DIR', computed: { text: '$XDG_DATA_HOME/shoal, else ~/.local/share/shoal', value: context => `${context.dataHome}/shoal` } }),
  http: key(listenAddress().prefault('127.0.0.1:5000'), 'Where container engines and the admin API reach the agent. Whoever reaches it may pull and read all it holds.', { argument: 'HOST:PORT' }),
  allowHosts: key(list(hostName()).prefault([]), 'Further names under which the agent may be addressed in a Host header; IP addresses, localhost and the host of `http` always may.', { argument: 'HOST' }),
  p2p: key(list(listenMultiaddr()).prefault(['/ip4/0.0.0.0/tcp/5001']), 'Where other agents reach this one.', { argument: 'MULTIADDR' }),
  direct: key(directAddress().prefault('0.0.0.0:5002'), 'Where other agents reach this one for the bytes of large blobs, by TLS: the direct lane. Where the port is in use another free one is taken; `off`: all goes by `p2p`.', { argument: 'HOST:PORT' }),
  announce: key(list(dialMultiaddr()).prefault([]), 'Addresses to tell other agents in place of those found, for a host behind a port forwarding.', { argument: 'MULTIADDR' }),
  bootstrap: key(list(dialMultiaddr()).prefault([]), 'Agents to join the swarm by, asked again until one answers.', { argument: 'MULTIADDR' }),
  mdns: key(flag().prefault(true), 'Find agents on the local network by multicast DNS.'),
  origins: key(z.record(z.string().transform(host => host.toLowerCase()).pipe(registryHost()), origin, { error: 'a mapping of registry hosts to a URL or settings' }).prefault({}),
    'Where a registry\'s content really is fetched, and how. A host named here may be a private address.', { argument: 'HOST=URL', flag: 'origin' }),
  originPolicy: key(oneOf('frugal', 'balanced', 'fast', 'never').prefault('balanced'),
    'When a registry is asked for content that members of the swarm may have. `frugal`: only for what no member can deliver; `balanced`: also for a piece that the swarm would deliver much later than the registry\'s own observed pace; `fast`: the registry and the swarm alike, whichever is quicker; `never`: not for blobs, nor for what is in a manifest.',
    { argument: 'POLICY' }),
  originConcurrency: key(count(1, 64).prefault(4), 'Requests for the bytes of blobs to registries at a time, of all blobs together.', { argument: 'NUMBER' }),
  defaultRegistry: key(registryHost().prefault('docker.io'), 'Registry of names that begin with no host.', { argument: 'HOST' }),
  registryAuthFile: key(path('a config.json or auth.json').optional(), 'Docker or podman credentials file; without it theirs are looked for where they keep them.', { argument: 'FILE' }),
  swarmKey: key(keyFile('a swarm key file').optional(), 'Pre-shared key: only agents with the same key can talk to this one.', { argument: 'FILE' }),
  sharePrivate: key(flag().prefault(false), 'Share content got with credentials; only inside a swarm with a key.'),
  trust: key(list(peerId()).prefault([]), 'Publishers: agents whose signed pieces may be given to clients before the whole blob is verified. In a swarm with a key every member is trusted.', { argument: 'PEERID' }),
  zone: key(zoneName().optional(), 'Where this host is, such as its rack or site: members of the same zone are preferred.', { argument: 'LABEL' }),
  uploadLimit: key(rate().optional(), 'What all other agents together are sent at most; without it there is no limit.', { argument: 'RATE' }),
  downloadLimit: key(rate().optional(), 'What is taken at most, from other agents and registries together; without it there is no limit.', { argument: 'RATE' }),
  uploadSlots: key(count(1, 256).prefault(6), 'Pieces sent at the same time, to all members together; a third more of pieces of 1 MiB, two thirds of larger ones.', { argument: 'NUMBER' }),
  maxMembers: key(count(4, 256).prefault(32), 'Members that this agent exchanges pieces of one blob with at a time.', { argument: 'NUMBER' }),
  leech: key(flag().prefault(false), 'Take from the swarm and give nothing.'),
  tagTtl: key(duration('ask every time').prefault('30s'), 'How long a tag\'s digest is believed before the registry is asked again.', { argument: 'DURATION' }),
  timeouts: key(timeouts.prefault({}), 'Deadlines, one a phase.'),
  banTime: key(duration().prefault('1h'), 'How long an agent that sent wrong bytes is not asked.', { argument: 'DURATION' }),
  logLevel: key(oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent').prefault('info'), 'The least important events to log.', { argument: 'LEVEL' }),
  logFormat: key(oneOf('json', 'text'), 'One JSON object or one line of text an event, on stderr.',
    { argument: 'FORMAT', computed: { text: 'text on a terminal, else json', value: context => context.isTerminal ? 'text' : 'json' } }),
  maxConnections: key(count(1, 100_000).prefault(600), 'Connections to other agents at most.', { argument: 'NUMBER' })
}).refine(config => !config.sharePrivate || config.swarmKey !== undefined, { path: ['sharePrivate'], error: 'false, or a swarmKey beside it: private content is never shared in an open swarm' })

/** The effective configuration. Durations are milliseconds, rates bytes per second, paths absolute. */
export type Config = z.output<typeof configSchema>
/** Where and how one registry's content is fetched. */
export type OriginConfig = z.output<typeof originEntry>
