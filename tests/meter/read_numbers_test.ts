import { assertEquals } from "../../lib/std.ts";
import { readNumbers } from "../../lib/meter/read_numbers.ts";
import { readTokens } from "../../lib/meter/tokens.ts";
import { stem } from "../../lib/meter/stem.ts";

const values = (text: string) => readNumbers(readTokens(text)).map((number) => number.values[0]);

Deno.test("readNumbers() reads numbers in digits and words", () => {
  const wanted: [string, number[]][] = [
    ["twenty six", [26]],
    ["twenty-six", [26]],
    ["one oh one", [101]],
    ["a hundred and two", [102]],
    ["two thousand eight", [2008]],
    ["nineteen ninety five", [1995]],
    ["nineteen oh five", [1905]],
    ["ninety eight point six", [98.6]],
    ["point one twenty five", [0.125]],
    ["two and a half", [2.5]],
    ["2-1/2", [2.5]],
    ["two fifty", [250]],
    ["three hundred twenty five", [325]],
    ["twelve thousand", [12_000]],
    ["two thousand three hundred", [2300]],
    ["1,200 and 98.6", [1200, 98.6]],
    ["four, five or six", [4, 5, 6]],
    ["the 10th and the tenth", [10, 10]],
    ["in her fifties", [50]],
    ["January O eight", [8]],
    ["no one", [1]],
    ["oh, and a point", []],
  ];
  for (const [text, numbers] of wanted) assertEquals([text, values(text)], [text, numbers]);
});

Deno.test("readNumbers() gives every whole number back that is written in words", () => {
  const ones = ["", ..."one two three four five six seven eight nine".split(" ")];
  const tens = "twenty thirty forty fifty sixty seventy eighty ninety".split(" ");
  for (let n = 20; n < 1000; n++) {
    const [hundreds, rest] = [Math.floor(n / 100), n % 100];
    if (rest > 0 && rest < 20) continue;
    const small = rest === 0 ? "" : `${tens[Math.floor(rest / 10) - 2]} ${ones[rest % 10]}`.trim();
    const words = [hundreds > 0 ? `${ones[hundreds]} hundred` : "", small].filter(Boolean);
    assertEquals(values(words.join(" and ")), [n], words.join(" and "));
    assertEquals(values(words.join(" ")), [n], words.join(" "));
  }
});

Deno.test("stem() is the same for a word's forms, and not for other words", () => {
  const same = [
    "smoke smokes smoked smoking smoker",
    "allergy allergies allergic",
    "surgery surgical surgeries",
    "nausea nauseous nauseated",
    "bleed bleeding bleeds",
    "diabetes diabetic",
    "dizzy dizziness",
    "fall fell fallen falling",
    "stop stopped stopping",
    "woman women",
  ];
  const stems = same.map((words) => new Set(words.split(" ").map(stem)));
  for (const forms of stems) assertEquals(forms.size, 1, [...forms].join(" "));
  assertEquals(new Set(stems.map((forms) => [...forms][0])).size, same.length);
  for (const [a, b] of [["liver", "live"], ["number", "numb"], ["breast", "breath"]]) {
    assertEquals(stem(a) === stem(b), false, `${a} ${b}`);
  }
});
