import { type Markup, markup } from "../markup.ts";

/** Signs of what is the same that are shown before and after what differs. */
const AROUND = 24;

/** Where two answers part, short: what is the same before it, what differs, what is the same after. */
export function changedPart(text: string, other: string): Markup {
  const [start, end] = differing(text, other);
  const before = text.slice(Math.max(0, start - AROUND), start).toWellFormed();
  const after = text.slice(end, end + AROUND).toWellFormed();
  return markup`<bdi>${start > AROUND && "…"}${before}<mark>${
    clip(text.slice(start, end))
  }</mark>${after}${end + AROUND < text.length && "…"}</bdi>`;
}

const clip = (text: string) => text.length > 80 ? `${text.slice(0, 80).toWellFormed()}…` : text;

/** What of a text differs from another, in whole words. */
function differing(text: string, other: string): [start: number, end: number] {
  const most = Math.min(text.length, other.length);
  let start = 0, back = 0;
  while (start < most && text[start] === other[start]) start++;
  while (back < most - start && text.at(-1 - back) === other.at(-1 - back)) back++;
  const isWord = (sign: string | undefined) => sign !== undefined && /[\p{L}\p{N}.]/u.test(sign);
  while (start > 0 && isWord(text[start - 1])) start--;
  let end = text.length - back;
  while (end < text.length && isWord(text[end])) end++;
  return [start, Math.max(start, end)];
}
