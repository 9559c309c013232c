import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeTempDir, removeTempDir } from '../../scenarios/live/temp-dir.ts'
import { comparisonHtml } from '../../scenarios/report/comparison-html.ts'
import { reportHtml } from '../../scenarios/report/html.ts'
import { sweepHtml } from '../../scenarios/report/sweep-html.ts'
import { plausibleResult } from '../scenarios/plausible-run.ts'
import { openPage, startChromium } from '../support/chromium.ts'
import { requireCommands } from '../support/requires.ts'
import type { Browser } from 'playwright-core'

/** Where people look at what was seen. */
const SCREENSHOTS = new URL('../../.vitest/screenshots/', import.meta.url)
const READERS = [
  { name: 'phone', viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true },
  { name: 'desk', viewport: { width: 1280, height: 900 } },
  { name: 'night', viewport: { width: 1280, height: 900 }, colorScheme: 'dark' }
] as const
const MIN_TEXT_PIXELS = 12
/** What a glyph may reach beyond its box, and rounding. */
const TOLERANCE_PIXELS = 2

/** In the page: what is wrong with the pictures that are to be seen, text too small or cut off at an edge. */
const CHART_FAULTS = `[...document.querySelectorAll('svg')].filter(svg => svg.getBoundingClientRect().width > 0).flatMap(svg => {
  const frame = svg.getBoundingClientRect()
  const scale = frame.width / svg.viewBox.baseVal.width
  const isBeyond = (side, edge) => side > edge + ${TOLERANCE_PIXELS}
  return [...svg.querySelectorAll('text')].flatMap(text => {
    const box = text.getBoundingClientRect()
    const pixels = Number.parseFloat(getComputedStyle(text).fontSize) * scale
    const isCut = isBeyond(frame.left, box.left) || isBeyond(box.right, frame.right) || isBeyond(frame.top, box.top) || isBeyond(box.bottom, frame.bottom)
    return [...pixels < ${MIN_TEXT_PIXELS} ? [text.textContent + ': ' + pixels + ' px'] : [], ...isCut ? [text.textContent + ' is cut off'] : []]
  })
})`

/** In the page: how bright paper and letters are, from 0 to 765. */
const BRIGHTNESS = `(() => {
  const brightness = colour => colour.match(/\\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0)
  const label = [...document.querySelectorAll('#spread text')].find(text => text.getBoundingClientRect().width > 0)
  return { paper: brightness(getComputedStyle(document.body).backgroundColor), letters: brightness(getComputedStyle(label).fill) }
})()`

describe.skipIf(requireCommands('chromium') !== undefined)('in a browser', () => {
  let browser: Browser
  let dir: string

  beforeAll(async () => {
    dir = await makeTempDir('report')
    await mkdir(SCREENSHOTS, { recursive: true })
    browser = await startChromium()
  })

  afterAll(async () => {
    await browser.close()
    await removeTempDir(dir)
  })

  async function fileOf (name: string, html: string): Promise<string> {
    const path = join(dir, `${name}.html`)
    await writeFile(path, html)
    return pathToFileURL(path).href
  }

  const pages: ReadonlyArray<readonly [name: string, html: () => string]> = [
    ['report', () => reportHtml(plausibleResult({ hosts: 200 }))],
    ['partial report', () => reportHtml(plausibleResult({ endMs: 3000 }))],
    ['comparison', () => comparisonHtml(plausibleResult(), plausibleResult({ seed: 2, slowness: 1.3, hasFaults: false }))],
    ['sweep', () => sweepHtml('hosts', [10, 40, 160].map(hosts => ({ value: String(hosts), result: plausibleResult({ hosts }) })))]
  ]

  it.each(pages)('a %s fits phone and desk, is legible, and asks for nothing', async (name, html) => {
    const url = await fileOf(name, html())
    for (const { name: reader, ...options } of READERS) {
      await using opened = await openPage(browser, url, options)
      const { page, complaints } = opened
      const widths = await page.evaluate<number[]>('[document.documentElement.scrollWidth, window.innerWidth]')
      expect(widths).toEqual([options.viewport.width, options.viewport.width])
      expect(await page.evaluate(CHART_FAULTS)).toEqual([])
      expect(await page.locator('svg:visible').count()).toBe(await page.locator('figure').count())
      await page.screenshot({ path: fileURLToPath(new URL(`${name}, ${reader}.png`, SCREENSHOTS)), fullPage: true })
      expect(complaints).toEqual([])
    }
  })

  it('a report is dark for who asked for it, in its pictures too, and light on paper', async () => {
    await using opened = await openPage(browser, await fileOf('themes', reportHtml(plausibleResult())), { colorScheme: 'dark' })
    const { page } = opened
    const coloursOf = async (): Promise<{ paper: number, letters: number }> => page.evaluate(BRIGHTNESS)
    const dark = await coloursOf()
    expect(dark.paper).toBeLessThan(150)
    expect(dark.letters).toBeGreaterThan(350)
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' })
    const printed = await coloursOf()
    expect(printed.paper).toBeGreaterThan(700)
    expect(printed.letters).toBeLessThan(350)
  })
})
