import { Command } from 'commander'
import { readVersion } from '../version.ts'
import type { CliContext } from './cli-context.ts'

/** Commands whose tree must be complete; the others need not wait for the configuration's schema. */
const NEED_AGENT_OPTIONS = new Set(['agent', 'help', 'completion'])

const EXAMPLES = `
Examples:
  shoal agent                                          run the agent
  docker pull 127.0.0.1:5000/docker.io/library/alpine  pull through it
  shoal pull ghcr.io/org/app:1                         fetch an image into it
  shoal status                                         see what it does
  shoal simulate cold-cluster                          rehearse a rollout

Exit codes: 0 done, 1 failed, 2 wrong usage, configuration or scenario, 130 ended by Ctrl-C.`

const PULL_EXAMPLES = `
Examples:
  shoal pull alpine                                  docker.io/library/alpine:latest, for this host's platform
  shoal pull ghcr.io/org/app@sha256:… --platform linux/arm64
  shoal pull alpine --json | jq .type`

const SIMULATE_EXAMPLES = `
A scenario is a file (docs/scenarios.md tells how to write one), or the name of one that comes with shoal. Exit code 1 when one
of its expectations fails. Ctrl-C ends the run and still writes what there is; once more ends at once.

Examples:
  shoal simulate --list
  shoal simulate cold-cluster --set origin.up=50MB/s
  shoal simulate rollout.yaml --sweep hosts=100,1000,10000
  shoal simulate rollout.yaml --json | jq .figures
  shoal simulate --compare before/result.json after/result.json`

const AGENT_EXAMPLES = `
From --data on, each option is an environment variable too (--tag-ttl is SHOAL_TAG_TTL) and a key of shoal.yaml (tagTtl).
A flag wins over the variable, the variable over the file.

Examples:
  shoal agent --bootstrap /ip4/192.0.2.7/tcp/5001
  shoal agent --origin docker.io=https://mirror.example.com --no-mdns
  shoal agent --print-config`

const COMPLETION_EXAMPLES = `
Examples:
  source <(shoal completion bash)                    bash: in ~/.bashrc
  source <(shoal completion zsh)                     zsh: in ~/.zshrc, after compinit
  shoal completion fish > ~/.config/fish/completions/shoal.fish`

/** The commands with their options. Each loads its own modules when it runs, so that none waits for another's. */
export async function createProgram (context: CliContext, args: readonly string[]): Promise<Command> {
  const program = new Command('shoal')
    .description('Gives this host its container images from the hosts around it.')
    .version(readVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .exitOverride()
    .configureOutput({ writeOut: text => { context.stdout.write(text) }, writeErr: text => { context.stderr.write(text) } })
    .showHelpAfterError('(--help tells what is allowed)')
    .addHelpText('after', EXAMPLES)

  await addAgent(program, context, args)
  addPull(program, context)
  addQueries(program, context)
  addSimulate(program, context)
  program.command('completion')
    .description('Print a script that completes commands and options')
    .argument('<bash|zsh|fish>', 'the shell')
    .addHelpText('after', COMPLETION_EXAMPLES)
    .action(async (shell: string) => {
      const { completionScript } = await import('./completion.ts')
      const { scenarioNames } = await import('../../scenarios/library.ts')
      context.stdout.write(completionScript(program, shell, { SCENARIO: { words: await scenarioNames(), extension: '.yaml' } }))
    })
  return program
}

async function addAgent (program: Command, context: CliContext, args: readonly string[]): Promise<void> {
  const agent = program.command('agent')
    .description('Run the agent')
    .option('--config <FILE>', 'configuration file (default: $XDG_CONFIG_HOME/shoal/shoal.yaml, else /etc/shoal/shoal.yaml)')
    .option('--print-config', 'print the effective configuration with the source of each value, and end')
    .option('--json', 'with --print-config: as JSON')
    .addHelpText('after', AGENT_EXAMPLES)
    .action(async (options: Record<string, unknown>) => {
      const { runAgentCommand } = await import('./agent-command.ts')
      await runAgentCommand(options, context)
    })
  if (!args.some(arg => NEED_AGENT_OPTIONS.has(arg))) return
  const { addConfigOptions } = await import('./config-options.ts')
  addConfigOptions(agent)
}

function addPull (program: Command, context: CliContext): void {
  program.command('pull')
    .description('Fetch an image into the running agent')
    .argument('<REF>', 'image reference, e.g. alpine or ghcr.io/org/app:1')
    .option('--http <URL>', 'where the agent listens (default: as configured)')
    .option('--platform <OS/ARCH>', 'os/arch or os/arch/variant (default: linux and the agent\'s architecture)')
    .option('--all-platforms', 'every platform of the image')
    .option('--json', 'print the events, one JSON object a line')
    .option('-q, --quiet', 'print the digest alone')
    .addHelpText('after', PULL_EXAMPLES)
    .action(async (reference: string, options: Record<string, unknown>) => {
      const { runPullCommand } = await import('./pull-command.ts')
      await runPullCommand(reference, options, context)
    })
}

function addQueries (program: Command, context: CliContext): void {
  const query = (name: string, description: string) => program.command(name)
    .description(description)
    .option('--http <URL>', 'where the agent listens (default: as configured)')
    .option('--json', 'print JSON')
  query('status', 'Show what the running agent does and holds')
    .action(async (options: Record<string, unknown>) => {
      const { runStatusCommand } = await import('./status-command.ts')
      await runStatusCommand(options, context)
    })
  query('peers', 'Show the agents it is connected to')
    .action(async (options: Record<string, unknown>) => {
      const { runPeersCommand } = await import('./peers-command.ts')
      await runPeersCommand(options, context)
    })
}

function addSimulate (program: Command, context: CliContext): void {
  program.command('simulate')
    .description('Rehearse a rollout: simulated, or with real agents')
    .argument('[SCENARIO]', 'scenario file, or the name of one of the library')
    .option('--list', 'show the scenarios of the library')
    .option('--live', 'run real agents and a real registry on this machine in place of a simulation')
    .option('--both', 'simulate, run live, and tell how far the simulation is off')
    .option('--sweep <KEY=VALUES>', 'simulate once for each value, e.g. hosts=100,1000,10000')
    .option('--compare <FILE...>', 'set two results side by side; runs nothing')
    .option('--seed <N>', 'in place of the scenario\'s own')
    .option('--set <KEY=VALUE>', 'change a key of the scenario, e.g. origin.up=50MB/s; repeatable', (value: string, earlier: readonly string[] = []) => [...earlier, value])
    .option('--out <DIR>', 'where the result and the report go (default: ./shoal-NAME-ENGINE; with --json: nowhere)')
    .option('--no-report', 'write no report.html')
    .option('--json', 'print the result as JSON')
    .option('-q, --quiet', 'print nothing but what failed')
    .addHelpText('after', SIMULATE_EXAMPLES)
    .action(async (scenario: string | undefined, options: Record<string, unknown>) => {
      const { runSimulateCommand } = await import('./simulate-command.ts')
      await runSimulateCommand(scenario, options, context)
    })
}
