/** Markup that is safe to put into a page as it stands. */
export type Markup = { readonly text: string };

/** What a template takes: text is escaped, markup stands as it is, lists are joined, nothing is left out. */
export type MarkupValue =
  | string
  | number
  | Markup
  | null
  | undefined
  | false
  | readonly MarkupValue[];

const ENTITIES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/**
 * Makes markup from a template: every value that isn't markup itself is escaped, in text and in
 * quoted attributes alike. Attributes must stand in quotes.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { markup } from "./markup.ts";
 * const rows = ["<b>", 'say "no"'].map((word) => markup`<li title="${word}">${word}</li>`);
 * const { text } = markup`<ul>${rows}</ul>`;
 * assert.equal(text.split("&lt;b&gt;").length, 3);
 * assert(!text.includes("<b>"));
 * ```
 */
export function markup(strings: TemplateStringsArray, ...values: MarkupValue[]): Markup {
  const parts = strings.map((part, i) => i === 0 ? part : markupOf(values[i - 1]) + part);
  return { text: parts.join("") };
}

/** Text of this project's own that is markup already: its style sheet and its script. */
export function trusted(text: string): Markup {
  return { text };
}

/**
 * A value as JSON in a script element that a page's script reads. A script's text knows no entities,
 * so what could end it, or begin a comment in it, is written in JSON's own escapes.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { jsonScript } from "./markup.ts";
 * const { text } = jsonScript("data", ["</script><!--<script>"]);
 * assert.equal(text.match(/</g)?.length, 2); // its own two tags
 * ```
 */
export function jsonScript(id: string, value: unknown): Markup {
  const json = JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return markup`<script type="application/json" id="${id}">${trusted(json)}</script>`;
}

function markupOf(value: MarkupValue): string {
  if (value === null || value === undefined || value === false) return "";
  if (Array.isArray(value)) return value.map(markupOf).join("");
  if (typeof value === "object") return (value as Markup).text;
  return String(value).replace(/[&<>"']/g, (sign) => ENTITIES[sign]);
}
