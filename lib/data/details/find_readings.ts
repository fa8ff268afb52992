import { type Detail, replaceAt, type Search } from "./change.ts";

/** What is measured, before its value: "hemoglobin of", "potassium was". */
export const MEASURED =
  /\b(?:blood pressure|BP|pulse|heart rate|temperature|temp|saturations?|sats?|hemoglobin|hematocrit|creatinine|BUN|sodium|potassium|chloride|calcium|magnesium|glucose|blood sugars?|cholesterol|LDL|HDL|triglycerides|A1c|INR|PSA|TSH|WBC|white (?:blood )?(?:cell )?count|platelets?|troponin|BNP|weight|BMI|ejection fraction|EF|respiratory rate|respirations|bilirubin|albumin)(?: (?:level|count|today|oral|orally|on room air))?[:,]?(?: (?:is|was|of|at|about|approximately|around|up to|down to)){0,2} ?$/i;

const PRESSURE = /(?<![\w./-])(\d{2,3})(?=\/\d{2,3}(?![\w/]))/g;

/** Finds blood pressures; other readings are numbers behind a name. */
export function findReadings({ text, source }: Search): Detail[] {
  return [...text.matchAll(PRESSURE)].flatMap(({ 0: before, index }): Detail[] => {
    const value = Number(before), low = Number(/\d+/.exec(text.slice(index + before.length + 1)));
    if (value < 80 || value > 240 || low < 40 || low >= value) return [];
    const changes = [-30, -20, 20, 30].map((step) => value + step)
      .filter((n) => n > low + 15 && n >= 80 && !source.numbers.has(n))
      .map((n) => replaceAt(index, before, String(n)))
      .map((change) => ({
        ...change,
        before: `${before}/${low}`,
        after: `${change.after}/${low}`,
      }));
    return [{ kind: "reading", supported: source.numbers.has(value), changes }];
  });
}
