import { assert, assertEquals } from "../../lib/std.ts";
import { html, jsonScript, trusted } from "../../report/html.ts";
import { HOSTILE } from "./made_up_run.ts";

Deno.test("html`` escapes text and leaves markup, lists and gaps as they are", () => {
  const { markup } = html`<p title="${'"&'}">${"<b>'"}${trusted("<i>")}${null}${false}${0}${[
    "<",
    [html`<u>${">"}</u>`],
  ]}</p>`;
  assertEquals(markup, `<p title="&quot;&amp;">&lt;b&gt;&#39;<i>0&lt;<u>&gt;</u></p>`);
});

Deno.test("html`` and jsonScript() let no text of the data become a tag or end an attribute", () => {
  for (const text of HOSTILE) {
    const { markup } = html`<p title="${text}">${text}</p>`;
    assertEquals(markup.match(/[<>]/g)!.length, 4);
    assertEquals(markup.match(/"/g)!.length, 2);
    const script = jsonScript("data", { [text]: text }).markup;
    assertEquals(script.match(/[<>]/g)!.length, 4);
    const json = script.slice(script.indexOf(">") + 1, script.lastIndexOf("<"));
    assertEquals(JSON.parse(json), { [text]: text });
    assert(!/[\u2028\u2029]/.test(json));
  }
});
