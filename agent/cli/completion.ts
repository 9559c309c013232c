import { UsageError } from './cli-error.ts'
import type { Command, Option } from 'commander'

const SHELLS = ['bash', 'zsh', 'fish'] as const
type Shell = typeof SHELLS[number]

/** How the value of an option is completed. */
type ValueKind = 'none' | 'file' | 'directory' | readonly string[]

/** What an argument may be: one of the words, or a file whose name ends so. */
export interface ArgumentValues {
  readonly words: readonly string[]
  readonly extension: string
}

/** By the name of the argument. */
export type ValuesByArgument = Readonly<Record<string, ArgumentValues>>

/**
 * A script that completes commands, options, and the values of options that are files, directories or one of a few words.
 * Everything is in the script, so that a press of TAB starts no process. @throws UsageError for a shell it does not know
 */
export function completionScript (program: Command, shell: string, values: ValuesByArgument = {}): string {
  switch (shell as Shell) {
    case 'bash': return bashScript(program, values)
    case 'zsh': return `autoload -U +X bashcompinit && bashcompinit\n${bashScript(program, values)}`
    case 'fish': return fishScript(program, values)
    default: throw new UsageError(`completion: ${JSON.stringify(shell)} is not allowed; expected one of ${SHELLS.join(', ')}`)
  }
}

/** Words of a command and what follows its options. Only builtins: bash-completion need not be there. */
function bashScript (program: Command, byArgument: ValuesByArgument): string {
  const name = program.name()
  const commands = program.commands
  const values = commands.flatMap(command => options(command).flatMap(option => bashValue(command, option)))
  return `# completion of ${name} for bash; zsh reads it too
_${name}_complete () {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]} command='' word words='' extension=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD - 1}"; do
    case $word in ${commands.map(command => command.name()).join('|')}) command=$word; break ;; esac
  done
  COMPREPLY=()
  case "$command $previous" in
${values.map(line => `    ${line}\n`).join('')}  esac
  case $command in
    '') words='${[...commands.map(command => command.name()), ...optionNames(program)].join(' ')}' ;;
${commands.map(command => `    ${command.name()}) words='${[...argumentWords(command, byArgument), ...optionNames(command)].join(' ')}'${argumentFiles(command, byArgument).map(extension => ` extension=${extension}`).join('')} ;;\n`).join('')}  esac
  while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -W "$words" -- "$current")
  [[ -z $extension || $current == -* ]] && return
  while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -X "!*$extension" -- "$current"; compgen -d -S / -- "$current")
}
complete -F _${name}_complete ${name}
`
}

function bashValue (command: Command, option: Option): string[] {
  if (option.long === undefined || option.long === null || isSwitch(option)) return []
  const kind = valueKind(option)
  const found = kind === 'none' ? 'return' : `while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen ${kind === 'file' ? '-f' : kind === 'directory' ? '-d' : `-W '${kind.join(' ')}'`} -- "$current"); return`
  return [`'${command.name()} ${option.long}') ${found} ;;`]
}

function fishScript (program: Command, byArgument: ValuesByArgument): string {
  const name = program.name()
  const lines = program.commands.map(command => `complete -c ${name} -f -n __fish_use_subcommand -a ${command.name()} -d ${quote(command.description())}`)
  for (const command of program.commands) {
    const condition = `-n '__fish_seen_subcommand_from ${command.name()}'`
    for (const word of argumentWords(command, byArgument)) lines.push(`complete -c ${name} -f ${condition} -a ${word}`)
    for (const extension of argumentFiles(command, byArgument)) lines.push(`complete -c ${name} -f ${condition} -a '(__fish_complete_suffix ${extension})'`)
    for (const option of options(command)) {
      const long = option.long?.replace(/^--/, '')
      if (long === undefined) continue
      const short = option.short?.startsWith('--') === false ? ` -s ${option.short.slice(1)}` : ''
      lines.push(`complete -c ${name} ${condition} -l ${long}${short}${fishValue(option)} -d ${quote(option.description)}`)
    }
  }
  return `# completion of ${name} for fish\n${lines.join('\n')}\n`
}

function fishValue (option: Option): string {
  if (isSwitch(option)) return ' -f'
  const kind = valueKind(option)
  if (kind === 'none') return ' -x'
  return kind === 'file' ? ' -r -F' : ` -x -a ${kind === 'directory' ? '\'(__fish_complete_directories)\'' : quote(kind.join(' '))}`
}

function options (command: Command): readonly Option[] {
  return command.createHelp().visibleOptions(command)
}

function optionNames (command: Command): string[] {
  return options(command).flatMap(option => [option.long, option.short]).filter(name => name?.startsWith('--') === true).map(String)
}

/** An argument written `<a|b>` is one of these words. */
function argumentWords (command: Command, byArgument: ValuesByArgument): readonly string[] {
  return command.registeredArguments.flatMap(argument => argument.name().includes('|') ? argument.name().split('|') : byArgument[argument.name()]?.words ?? [])
}

/** The endings of files that an argument may name. */
function argumentFiles (command: Command, byArgument: ValuesByArgument): string[] {
  return command.registeredArguments.flatMap(argument => byArgument[argument.name()]?.extension ?? [])
}

function isSwitch (option: Option): boolean {
  return !option.required && !option.optional
}

function valueKind (option: Option): ValueKind {
  if (option.argChoices !== undefined) return option.argChoices
  if (/<FILE(\.{3})?>/.test(option.flags)) return 'file'
  return option.flags.includes('<DIR>') ? 'directory' : 'none'
}

function quote (text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`
}
