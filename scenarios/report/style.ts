import { colourProperties } from './palette.ts'

/** How a report looks: at a desk, on a phone, in the dark, on paper. */
export const STYLE = `
:root{color-scheme:light dark;${colourProperties('light')}}
@media (prefers-color-scheme:dark){:root{${colourProperties('dark')}}}
*{box-sizing:border-box}
body{margin:0 auto;padding:24px 20px 48px;max-width:800px;background:var(--surface);color:var(--ink);font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',sans-serif;overflow-wrap:break-word}
h1{font-size:28px;line-height:1.2;margin:0 0 4px}
h2{font-size:21px;margin:44px 0 12px;padding-top:14px;border-top:1px solid var(--line)}
h3{font-size:16px;margin:24px 0 8px}
p{margin:0 0 12px}
code{font:14px/1.4 ui-monospace,SFMono-Regular,Menlo,'DejaVu Sans Mono',monospace}
.about,.note,figcaption,footer{color:var(--muted);font-size:14px}
.summary{font-size:17px}
.warning{padding:10px 14px;border-left:4px solid var(--bad);background:var(--raised)}
.good{color:var(--good)}
.bad{color:var(--bad)}
.cards{list-style:none;display:grid;grid-template-columns:repeat(3,1fr);gap:10px;margin:20px 0 0;padding:0}
.cards li{display:flex;flex-direction:column;padding:10px 14px;background:var(--raised);border-radius:8px}
.cards span{color:var(--muted);font-size:14px}
.cards strong{font-size:21px;line-height:1.3}
figure{margin:28px 0 0}
figure h3{margin:0 0 6px}
figcaption{margin-top:6px}
figure svg{display:block;width:100%;height:auto}
svg text{font:12px system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',sans-serif}
#spread svg{shape-rendering:crispEdges}
.narrow{display:none;max-width:480px}
.key{display:flex;align-items:center;margin:6px 0 0;color:var(--muted);font-size:13px}
.key i{flex:0 1 16px;height:12px}
.key span{margin:0 8px;white-space:nowrap}
table{width:100%;border-collapse:collapse;font-size:14px;margin:0 0 12px}
th{text-align:left;font-weight:600;color:var(--muted)}
th,td{padding:6px 8px;vertical-align:top;border-bottom:1px solid var(--line)}
th:first-child,td:first-child{padding-left:0;white-space:nowrap}
.number{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
th.number{white-space:normal}
td b{white-space:nowrap}
dl{margin:0;font-size:14px}
dl div{display:flex;gap:12px;padding:6px 0;border-bottom:1px solid var(--line)}
dt{flex:0 0 130px;color:var(--muted)}
dd{margin:0;flex:1}
footer{margin-top:44px}
@media screen and (max-width:700px){
body{padding:16px 16px 40px}
.wide{display:none}
.narrow{display:block}
.cards{grid-template-columns:repeat(2,1fr)}
table,tbody,tr,td{display:block}
thead{display:none}
tr{padding:8px 0;border-bottom:1px solid var(--line)}
td,td:first-child{display:flex;justify-content:space-between;gap:16px;padding:2px 0;border:0;text-align:right;white-space:normal;overflow-wrap:anywhere}
td::before{content:attr(data-title);color:var(--muted);text-align:left;flex-shrink:0;max-width:45%}
td[data-title=""]::before{content:none}
td:empty{display:none}
dl div{display:block}
}
@media print{
:root{color-scheme:light;${colourProperties('light')}}
body{max-width:none;padding:0;font-size:14px}
figure,tr,.cards li,dl div{break-inside:avoid}
h2,h3{break-after:avoid}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
}
`
