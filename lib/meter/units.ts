/** A unit as others of its quantity are measured in: a week is seven days. */
export type Unit = { quantity: string; factor: number; time: boolean };

/** Quantities, each with its units and what one of them is worth. A month has no fixed days. */
const QUANTITIES: Record<string, [names: string, factor: number][]> = {
  minute: [
    ["second seconds sec secs", 1 / 60],
    ["minute minutes min mins", 1],
    ["hour hours hr hrs", 60],
    ["day days", 1440],
    ["week weeks wk wks", 10080],
  ],
  month: [["month months mo mos", 1], ["year years yr yrs", 12]],
  milligram: [
    ["mcg microgram micrograms ug", 0.001],
    ["mg milligram milligrams mgs", 1],
    ["g gram grams gm gms", 1000],
    ["kg kgs kilogram kilograms kilo kilos", 1e6],
  ],
  ounce: [["ounce ounces oz", 1], ["pound pounds lb lbs", 16]],
  milliliter: [
    ["ml milliliter milliliters millilitre millilitres cc ccs", 1],
    ["l liter liters litre litres", 1000],
  ],
  millimeter: [
    ["mm millimeter millimeters millimetre millimetres", 1],
    ["cm centimeter centimeters centimetre centimetres", 10],
    ["km kilometer kilometers", 1e6],
  ],
  inch: [["inch inches", 1], ["foot feet ft", 12], ["mile miles", 63360]],
  percent: [["% percent", 1]],
  degree: [["degree degrees ° fahrenheit celsius", 1]],
  beat: [["bpm beats", 1]],
  unit: [["unit units iu", 1]],
  tablet: [["tablet tablets tab tabs pill pills capsule capsules", 1]],
  puff: [["puff puffs", 1]],
  drop: [["drop drops", 1]],
  pack: [["pack packs", 1]],
  pregnancy: [["pregnancy pregnancies", 1]],
};

/** Units by each of their names. */
export const UNITS: ReadonlyMap<string, Unit> = new Map(
  Object.entries(QUANTITIES).flatMap(([quantity, units]) =>
    units.flatMap(([names, factor]) =>
      names.split(" ").map((name): [string, Unit] => [
        name,
        { quantity, factor, time: quantity === "minute" || quantity === "month" },
      ])
    )
  ),
);

/** What medicine is measured in. */
export const DOSE_QUANTITIES = new Set([
  "milligram",
  "milliliter",
  "unit",
  "tablet",
  "puff",
  "drop",
]);
