import { configKeys, originEntryKeys } from './keys.ts'
import type { ConfigKey } from './keys.ts'

/** docs/configuration.md, from the schema. */
export function renderConfigurationDocs (): string {
  return [
    '<!-- Generated from agent/config/schema.ts by `npm run docs`. Edit there. -->',
    '# Configuration',
    '',
    'A value comes from the first of these that gives it: the flag of `shoal agent`, the environment variable, the configuration file, the default.',
    'The file is the one named by `--config` or `SHOAL_CONFIG`, else `$XDG_CONFIG_HOME/shoal/shoal.yaml` (`~/.config/shoal/shoal.yaml`), else `/etc/shoal/shoal.yaml`.',
    '`shoal agent --print-config` shows the effective configuration and where each value came from.',
    '',
    'Durations are written `500ms`, `30s`, `5m`, `1h`; rates `500KB/s`, `20MB/s`, `1MiB/s` (bytes) or `80Mbit/s` (bits). Lists are YAML lists; in a variable they are separated by commas or spaces, as a flag they may be repeated.',
    'Relative paths in the file are relative to the file, others to the working directory; `~/` is the home directory. An empty variable counts as unset.',
    'Mistakes are reported together, one a line, and the exit code is 2.',
    '',
    '| Key | Flag | Variable | Default | Meaning |',
    '|---|---|---|---|---|',
    ...configKeys.map(keyRow),
    '',
    '## Entries of `origins`',
    '',
    'An entry is a URL, or a mapping of these keys. A flag or variable replaces the whole entry of its host and leaves other hosts\' alone.',
    '',
    '| Key | Meaning |',
    '|---|---|',
    ...originEntryKeys.map(key => `| \`${key.name}\` | ${key.description} |`),
    '',
    '## Example',
    '',
    '```yaml',
    ...EXAMPLE,
    '```',
    ''
  ].join('\n')
}

/** Loaded by a test, so that it stays true. */
export const EXAMPLE: readonly string[] = [
  'data: /var/lib/shoal',
  'http: 127.0.0.1:5000',
  'bootstrap:',
  '  - /dns4/seed.example.com/tcp/5001',
  'origins:',
  '  docker.io: https://mirror.example.com',
  '  ghcr.io:',
  '    url: https://harbor.example.com/proxy-ghcr',
  '    username: robot',
  '    passwordFile: harbor-password',
  '    ca: company-ca.pem',
  'zone: rack-7',
  'uploadLimit: 20MB/s',
  'tagTtl: 1m',
  'timeouts:',
  '  manifest: 5s'
]

function keyRow (key: ConfigKey): string {
  const flag = key.shape === 'switch' ? `${key.flag}, --no-${key.flag.slice(2)}` : `${key.flag} ${key.argument ?? ''}${key.shape === 'value' ? '' : '…'}`
  const choices = key.choices === undefined ? '' : ` One of ${key.choices.map(choice => `\`${choice}\``).join(', ')}.`
  const fallback = key.defaultText === undefined ? 'unset' : key.computedDefault === undefined ? `\`${key.defaultText}\`` : key.defaultText
  return `| \`${key.name}\` | \`${flag}\` | \`${key.variable}\` | ${fallback} | ${key.description}${choices} |`
}
