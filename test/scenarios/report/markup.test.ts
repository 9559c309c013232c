import { expect, it } from 'vitest'
import { html } from '../../../scenarios/report/markup.ts'

it('what is put into HTML is text, unless it is HTML itself', () => {
  const name = '<img src=x onerror="a">&\''
  expect(html`<b title="${name}">${name}</b>`.text).toBe('<b title="&lt;img src=x onerror=&quot;a&quot;&gt;&amp;&#39;">&lt;img src=x onerror=&quot;a&quot;&gt;&amp;&#39;</b>')
  expect(html`<ul>${['a', 'b<'].map(item => html`<li>${item}</li>`)}</ul>`.text).toBe('<ul><li>a</li><li>b&lt;</li></ul>')
  expect(html`<td>${1.5}</td>`.text).toBe('<td>1.5</td>')
})
