import { runCommand } from './child-process.ts'

/** Runs lines of shell, in a namespace if the command in front says so. @throws CommandError at the first that fails */
export async function runLines (lines: readonly string[], runner: readonly string[] = []): Promise<void> {
  if (lines.length === 0) return
  const [command = '', ...args] = [...runner, 'sh', '-ec', lines.join('\n')]
  await runCommand(command, args)
}

/** A shell line that sets what sysctl(8) calls `net.ipv4.<name>`, in the namespace in which it runs; without effect where the kernel lacks it. */
export function kernelSetting (name: string, value: string | number): string {
  return `echo ${value} >/proc/sys/net/ipv4/${name} 2>/dev/null || true`
}
