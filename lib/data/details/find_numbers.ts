import {
  type Change,
  type Detail,
  type DetailKind,
  fitsArticle,
  likeCase,
  replaceAt,
  type Search,
} from "./change.ts";
import { MEASURED } from "./find_readings.ts";
import { durationKey, NUMBER, numberOf, TIME, wordOf } from "./source_facts.ts";

const DOSE_UNIT =
  "mg|mcg|micrograms?|milligrams?|grams?|g|units?|ml|milliliters?|cc|puffs|tablets|drops";
const FOUND = new RegExp(`(?<![\\w.,/:#$&+'’-])(?:${NUMBER})`, "gi");

/** What stands before or after a number that names something rather than counts it. */
const NAMES = new RegExp(
  [
    // "type 2", "stage 3", "room 4", "July 8", "#5", "1 out of", "between 3"
    "(?:\\b(?:types?|stage|grade|class|phase|level|gauge|room|number|no\\.|vitamin|hepatitis|figure",
    "|step|part|out of|scale of|between|from|version|the|these|those|all|other|any|my|our",
    "|jan\\w*|feb\\w*|mar\\w*|apr\\w*|may|june?|july?|aug\\w*|sep\\w*|oct\\w*|nov\\w*|dec\\w*)",
    `|\\b(?:${NUMBER}|half),?(?: to| or| and| through| over|-|–|/)?) $`,
  ].join(""),
  "i",
);
const NAMED_AFTER = new RegExp(
  `^(?:[/:]|['’]s\\b|,\\d|[.)] |[.)]$|-(?!(?:${TIME}|mg|mcg)\\b)|–|st\\b|nd\\b|rd\\b|th\\b| ?[ap]\\.?m\\b` +
    `| of (?:them|these|those|his|her|the)| ?(?:to|or|and|through|over|-|x|by|out|plus) (?:a half|\\d|${NUMBER})` +
    `|(?: or \\w+)? (?:scale|point)| else|[a-z])`,
  "i",
);
const AGE =
  /^(?:[- ](?:year|month|week|day)s?(?:[- ](?:old|of age)|, \d+-month-old)|[- ]?(?:y\/o|y\.o\.|yo\b))/i;
const HEIGHT = /^[- ](?:feet|foot|ft)\b/i;
const AGED = /\bage[ds]?(?: of)? $/i;
/** Times that only one unit can measure. */
const PREGNANCY = /^\W*\w+\W* (?:pregnan|gestation|of pregnan|of gestation)/i;
const TIMED = new RegExp(`^[- ](${TIME})s?\\b`, "i");
const DOSED = new RegExp(`^ ?-?(?:${DOSE_UNIT})\\b`, "i");
const OTHER_TIMES: Record<string, string[]> = {
  minute: ["hour"],
  hour: ["day"],
  day: ["week", "month"],
  week: ["day", "month"],
  month: ["week", "year"],
  year: ["month"],
};

/** Characters before a number that are looked at, so that no text takes more than linear time. */
const NEAR = 80;

/** Finds numbers: ages, counts, readings, doses and durations, each with values that are wrong. */
export function findNumbers({ text, source }: Search): Detail[] {
  const stated = (value: number) => source.numbers.has(value);
  const own = new Set([...text.matchAll(FOUND)].map(([number]) => numberOf(number)));
  const details: Detail[] = [];
  for (const { 0: before, index } of text.matchAll(FOUND)) {
    const begun = text.slice(Math.max(0, index - NEAR), index);
    const after = text.slice(index + before.length);
    const listed = /(?:^|[.;:,\n]\s*)$/.test(begun) && /^[.)]\s/.test(after);
    const value = numberOf(before);
    if (listed || value < 2 || before.replace(/\D/g, "").length > 4) continue;
    const sentenceEnd = /^\.(?:\s|$)/.test(after);
    const named = !sentenceEnd && NAMED_AFTER.test(after) || NAMES.test(begun);
    const aged = AGE.test(after) || AGED.test(begun);
    const time = aged ? undefined : TIMED.exec(after)?.[1];
    if (named && !(time && /(?:the|these|those|all|my) $/i.test(begun))) continue;
    const kind = kindOf(begun, { value, aged, time, after });
    const wrong = kind === "dose" ? otherDoses(value) : otherNumbers(value);
    const changes = wrong
      .filter((n) => !stated(n) && !own.has(n))
      .filter((n) => !HEIGHT.test(after) || value > 6 || n > 3 && n <= 6)
      .map((n) => writeLike(n, before))
      .filter((n) => n !== null && fitsArticle(text, index, n))
      .map((n) => replaceAt(index, before, n!));
    const supported = stated(value);
    if (time && !PREGNANCY.test(after)) {
      changes.push(...otherTimes({ text, source }, { before, index, time }));
    }
    const phrase =
      /^(?:-\w+|[ ]?(?!(?:and|or|of|with|in|to|from|for|as|at|on)\b)[\w%'/]+)?/.exec(after)![0];
    const shown = kind === "date" ? changes : changes.map((one) => addPhrase(one, phrase));
    details.push({ kind, supported, changes: shown });
  }
  return details;
}

function kindOf(
  begun: string,
  { value, aged, time, after }: { value: number; aged: boolean; time?: string; after: string },
): DetailKind {
  if (aged) return "age";
  if (time) return /\bevery $/i.test(begun) ? "frequency" : "duration";
  if (DOSED.test(after)) return "dose";
  if (value >= 1900 && value < 2100 && Number.isInteger(value)) return "date";
  return MEASURED.test(begun) ? "reading" : "number";
}

/** Shows a number with the word behind it: "54-year", "20 mg". */
function addPhrase(change: Change, phrase: string): Change {
  if (change.before.includes(" ") || change.before.includes("-")) return change;
  return { ...change, before: change.before + phrase, after: change.after + phrase };
}

/** The same number of other units of time. */
function otherTimes(
  { text, source }: Search,
  { before, index, time }: { before: string; index: number; time: string },
): Change[] {
  const start = index + before.length + 1;
  return OTHER_TIMES[time.toLowerCase()]
    .filter((unit) => !source.durations.has(durationKey(before, unit)))
    .map((unit) => {
      const edit = { start, end: start + time.length, text: likeCase(unit, time) };
      const plural = text[edit.end] === "s" ? "s" : "";
      const joint = text[start - 1];
      return {
        before: `${before}${joint}${time}${plural}`,
        after: `${before}${joint}${edit.text}${plural}`,
        edits: [edit],
      };
    });
}

/** Values near enough to be believed and far enough to be wrong. */
function otherNumbers(value: number): number[] {
  const near = (...steps: number[]) => steps.flatMap((step) => [value - step, value + step]);
  const decimals = decimalsOf(value);
  if (decimals > 0) return near(...[5, 12, 20].map((k) => k / 10 ** decimals)).filter((n) => n > 0);
  if (value <= 10) return near(1, 2, 3).filter((n) => n >= 2);
  if (value < 18) return near(1, 2, 3, 4).filter((n) => n >= 2 && n < 18);
  if (value < 100) {
    const swapped = (value % 10) * 10 + Math.floor(value / 10);
    return [...near(2, 3, 5, 10), swapped].filter((n) => n >= 18 && n < 100 && n !== value);
  }
  if (value >= 1900 && value < 2100) return [1, 2, 3, 5].map((step) => value - step);
  return value < 1000 ? near(10, 20, 30).filter((n) => n >= 100) : near(100, 200, 300);
}

/** The slips that doses suffer: doubled, halved, a zero too many or too few. */
function otherDoses(value: number): number[] {
  return [value * 2, value / 2, value * 10, value / 10]
    .filter((n) => n > 1 && decimalsOf(n) <= Math.max(1, decimalsOf(value)) && n < 10000);
}

const decimalsOf = (value: number) => String(value).split(".")[1]?.length ?? 0;

/** Writes a value as the number before it was written; `null` where words don't reach. */
function writeLike(value: number, model: string): string | null {
  if (/^\d/.test(model)) {
    const decimals = model.split(".")[1]?.length ?? 0;
    return decimalsOf(value) > decimals && decimals > 0 ? null : value.toFixed(
      Math.max(decimals, decimalsOf(value)),
    );
  }
  return value < 20 ? likeCase(wordOf(value), model) : null;
}
