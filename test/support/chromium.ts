import { execFileSync } from 'node:child_process'
import { chromium } from 'playwright-core'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'

/** A page as one reader sees it, and all that it said or asked for besides itself. */
export interface OpenPage extends AsyncDisposable {
  readonly page: Page
  /** Lines of its console, errors, and addresses it asked for. */
  readonly complaints: readonly string[]
}

/** The system's Chromium, without a window. */
export async function startChromium (): Promise<Browser> {
  const executablePath = execFileSync('sh', ['-c', 'command -v chromium'], { encoding: 'utf8' }).trim()
  return chromium.launch({ executablePath })
}

export async function openPage (browser: Browser, url: string, options: BrowserContextOptions): Promise<OpenPage> {
  const context = await browser.newContext(options)
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', message => complaints.push(message.text()))
  page.on('pageerror', error => complaints.push(error.message))
  page.on('request', request => { if (request.url() !== url) complaints.push(request.url()) })
  await page.goto(url)
  return { page, complaints, [Symbol.asyncDispose]: async () => { await context.close() } }
}
