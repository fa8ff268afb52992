import type { NumberRead } from "./read_numbers.ts";
import type { Token } from "./tokens.ts";
import { DOSE_QUANTITIES, type Unit, UNITS } from "./units.ts";

/** A number with what it counts. */
export type Quantity = {
  kind: "number" | "dose" | "duration" | "age";
  /** Tokens `from` to `to`, `to` left out. */
  from: number;
  to: number;
  /** What it may mean, the likeliest first, as stated. */
  values: number[];
  /** The same in the unit of `quantity`; `null` where no unit is stated. */
  quantity: string | null;
  amounts: number[];
};

const JOINTS = new Set(["to", "or", "and", "-", "–", "through", "/"]);
const OLD = new Set(["old", "age"]);

/** Finds what the numbers of a text count, a range's unit for both of its ends; dates left out. */
export function readQuantities(tokens: Token[], numbers: NumberRead[]): Quantity[] {
  const found: Quantity[] = [];
  let behind: { from: number; measure: Measure } | null = null;
  // From the end, so that "two" of "two to three weeks" finds the weeks.
  for (const number of numbers.toReversed()) {
    let measure: Measure = measureAt(tokens, number.to);
    if (measure.unit === null && !measure.age && behind !== null) {
      const between = tokens.slice(number.to, behind.from);
      if (
        between.length > 0 && between.length <= 2 && between.every(({ word }) => JOINTS.has(word))
      ) {
        measure = { ...behind.measure, to: number.to };
      }
    }
    if (agedBefore(tokens, number.from)) measure = { ...measure, age: true };
    behind = { from: number.from, measure };
    const { unit, age, to } = measure;
    found.push({
      kind: age
        ? "age"
        : unit?.time
        ? "duration"
        : unit && DOSE_QUANTITIES.has(unit.quantity)
        ? "dose"
        : "number",
      from: number.from,
      to: Math.max(to, number.to),
      values: number.values,
      quantity: unit?.quantity ?? (age ? "month" : null),
      amounts: number.values.map((value) => value * (unit?.factor ?? (age ? 12 : 1))),
    });
  }
  for (const [i, { word, sentence }] of tokens.entries()) {
    const unit = UNITS.get(tokens[i + 1]?.word);
    const single = (word === "a" || word === "an") && unit?.time &&
      tokens[i + 1].sentence === sentence;
    if (!single) continue;
    found.push({
      kind: "duration",
      from: i,
      to: i + 2,
      values: [1],
      quantity: unit.quantity,
      amounts: [unit.factor],
    });
  }
  return found.toSorted((a, b) => a.from - b.from);
}

type Measure = { unit: Unit | null; age: boolean; to: number };

/** The unit that begins at a token, a hyphen before it passed over, and whether it is of an age. */
function measureAt(tokens: Token[], at: number): Measure {
  let i = at;
  if (tokens[i]?.text === "-") i++;
  const word = tokens[i]?.word ?? "";
  if (/^(?:yo|y)$/.test(word)) {
    const to = word === "y" && tokens[i + 1]?.text === "/" ? i + 3 : i + 1;
    return { unit: UNITS.get("year")!, age: true, to };
  }
  const unit = (tokens[i]?.kind !== "number" && UNITS.get(word)) || null;
  if (unit === null) return { unit, age: false, to: at };
  let to = i + 1;
  if (!unit.time) return { unit, age: false, to };
  if (tokens[to]?.text === "-" || tokens[to]?.word === "of") to++;
  const age = OLD.has(tokens[to]?.word);
  return { unit, age, to: age ? to + 1 : i + 1 };
}

function agedBefore(tokens: Token[], from: number): boolean {
  const [before, last] = [tokens[from - 2]?.word, tokens[from - 1]?.word];
  return /^(?:age|aged|ages)$/.test(last ?? "") ||
    before === "age" && /^(?:of|is|:|at)$/.test(last ?? "");
}
