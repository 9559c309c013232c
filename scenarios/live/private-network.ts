import { runCommand } from './child-process.ts'
import { missingCommands } from './missing-commands.ts'

/** Why this machine cannot shape links for us, or undefined. */
export async function whyNoPrivateNetwork (): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'network namespaces are of Linux'
  const missing = missingCommands('ip', 'tc', 'unshare', 'nsenter', 'setpriv')
  if (missing.length > 0) return `not installed: ${missing.join(', ')}`
  if (process.getuid?.() !== 0) return 'not root'
  try {
    await inNewNetwork('tc qdisc add dev lo root tbf rate 1mbit burst 32kb latency 50ms')
    return undefined
  } catch (error) {
    return `no network namespace with tbf: ${error instanceof Error ? error.message : String(error)}`
  }
}

/** Whether the kernel can do what these lines of shell try in a network of their own. */
export async function canInNewNetwork (lines: string): Promise<boolean> {
  return inNewNetwork(lines).then(() => true, () => false)
}

async function inNewNetwork (lines: string): Promise<void> {
  await runCommand('unshare', ['--net', '--', 'sh', '-ec', `ip link set lo up; ${lines}`])
}
