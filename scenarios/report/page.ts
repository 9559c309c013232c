import { html, Markup } from './markup.ts'
import { STYLE } from './style.ts'

/** A whole HTML file that needs nothing beside it, runs nothing, and may ask the network for nothing. */
export function page (title: string, body: Markup): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title>
<style>${new Markup(STYLE)}</style>
</head>
<body>
${body}
</body>
</html>
`.text
}
