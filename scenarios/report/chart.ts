import { BarChart, CustomChart, LineChart, ScatterChart } from 'echarts/charts'
import { GridComponent, LegendComponent, MarkAreaComponent, MarkLineComponent } from 'echarts/components'
import { init, use } from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'
import { html, Markup } from './markup.ts'
import { ink, themed } from './palette.ts'
import type { EChartsOption } from 'echarts'

use([BarChart, CustomChart, LineChart, ScatterChart, GridComponent, LegendComponent, MarkAreaComponent, MarkLineComponent, SVGRenderer])

/** Pixels of CSS. */
const WIDTHS = { wide: 760, narrow: 358 } as const
const FONT = 'system-ui,-apple-system,\'Segoe UI\',Roboto,\'Noto Sans\',sans-serif'

export type ChartFit = keyof typeof WIDTHS

export interface ChartInit {
  /** Of the page, letters and hyphens. */
  readonly id: string
  readonly title: string
  /** What the picture shows, in a sentence for those who see it for the first time. */
  readonly caption: MarkupLike
  /** Pixels. */
  readonly height: number
  /** What follows the picture. @default nothing */
  readonly below?: Markup
  readonly draw: (fit: ChartFit) => EChartsOption
}

type MarkupLike = Markup | string

/** A picture as SVG, drawn once for a desk or paper and once for a phone, so that its text is never scaled down. */
export function chart ({ id, title, caption, height, below = html``, draw }: ChartInit): Markup {
  const pictures = (Object.keys(WIDTHS) as ChartFit[]).map(fit => html`<div class="${fit}">${render(draw(fit), `${id}-${fit}`, WIDTHS[fit], height)}</div>`)
  return html`<figure id="${id}"><h3>${title}</h3>${pictures}${below}<figcaption>${caption}</figcaption></figure>`
}

function render (option: EChartsOption, id: string, width: number, height: number): Markup {
  const instance = init(null, null, { renderer: 'svg', ssr: true, width, height })
  try {
    instance.setOption({ animation: false, textStyle: { fontFamily: FONT, fontSize: 12, color: ink('ink') }, ...option })
    return new Markup(themed(still(instance.renderToSVGString(), id)))
  } finally {
    instance.dispose()
  }
}

/** Without what only a page with scripts has a use for, and with names that depend on the picture alone. */
function still (svg: string, id: string): string {
  return svg
    .replace(/<style ?>[^]*?<\/style>\n?/g, '')
    .replace(/ (class|ecmeta_\w+|pointer-events)="[^"]*"/g, '')
    .replace(/\bzr\d+-c(\d+)\b/g, `${id}-$1`)
    .replaceAll(` style="font-size:12px;font-family:${FONT};"`, '')
    .replace('<svg ', '<svg aria-hidden="true" ')
}
