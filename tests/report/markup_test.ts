import { assert, assertEquals } from "../../lib/std.ts";
import { jsonScript, markup, trusted } from "../../report/markup.ts";
import { HOSTILE } from "./made_up_run.ts";

Deno.test("markup`` escapes text and leaves markup, lists and gaps as they are", () => {
  const { text } = markup`<p title="${'"&'}">${"<b>'"}${trusted("<i>")}${null}${false}${0}${[
    "<",
    [markup`<u>${">"}</u>`],
  ]}</p>`;
  assertEquals(text, `<p title="&quot;&amp;">&lt;b&gt;&#39;<i>0&lt;<u>&gt;</u></p>`);
});

Deno.test("markup`` and jsonScript() let no text of the data become a tag or end an attribute", () => {
  for (const word of HOSTILE) {
    const { text } = markup`<p title="${word}">${word}</p>`;
    assertEquals(text.match(/[<>]/g)!.length, 4);
    assertEquals(text.match(/"/g)!.length, 2);
    const script = jsonScript("data", { [word]: word }).text;
    assertEquals(script.match(/[<>]/g)!.length, 4);
    const json = script.slice(script.indexOf(">") + 1, script.lastIndexOf("<"));
    assertEquals(JSON.parse(json), { [word]: word });
    assert(!/[\u2028\u2029]/.test(json));
  }
});
