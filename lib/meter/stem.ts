/** Words whose forms no suffix explains. */
const IRREGULAR = new Map(
  `children child|women woman|men man|feet foot|teeth tooth|felt feel|fell fall|fallen fall|
  took take|taken take|went go|gone go|began begin|begun begin|broke break|broken break|gave give|
  given give|saw see|seen see|came come|ate eat|eaten eat|drank drink|drunk drink|slept sleep|
  woke wake|lost lose|loss lose|swollen swell|bled bleed|threw throw|thrown throw|grew grow|
  grown grow|worst worse|worsen worse|worsening worse|worsened worse|worsens worse|drove drive|
  driven drive|wore wear|worn wear|stood stand|sat sit|knew know|known know|thought think|
  said say|told tell|kept keep|brought bring|caught catch|stuck stick|struck strike|bitten bite|
  bit bite|wrote write|spoke speak|spoken speak|dying die|died die|dies die|dead die|death die|
  ran run|shook shake|stole steal|tore tear|torn tear|paid pay|sent send|spent spend|built build|
  lying lie|laid lay|led lead|met meet|sought seek|taught teach|wound wound|lives live|knives knife|
  vertebrae vertebra|diagnoses diagnos|diagnosis diagnos|metastases metastas|metastasis metastas|
  axes axis|biopsies biops|biopsy biops|younger young|older old|oldest old|daily day|weekly week|
  monthly month|yearly year|agreed agree|numbing numb|number number|numbers number|numerous numerous`
    .split("|").map((pair) => pair.trim().split(" ") as [string, string]),
);

/** Taken off a word of which four letters remain; longer ones first. */
const LONG = (
  "ications ication izations ization ations ation ically ousness fulness iveness ability ibility " +
  "ements ement ments ment ances ance ences ence ities iness ating ated ates ate ative atives " +
  "ions ion ives ive ists ist isms ism ness able ible ally ical ious iest ier ers er ors or est " +
  "ary ory ity ily ous ful eal ial al ic ly"
).split(" ").toSorted((a, b) => b.length - a.length);
/** Taken off a word of which three letters remain. */
const SHORT = "ings ing ies ied ed es s y e a".split(" ");

/**
 * The part of a word that its forms share: "smok" of smoker, smokes and smoking. Light: it drops
 * endings and knows some irregular forms. A stem is for comparing, not for reading.
 */
export function stem(word: string): string {
  let rest = IRREGULAR.get(word) ?? word;
  if (IRREGULAR.get(rest) === rest) return rest;
  for (let pass = 0; pass < 3; pass++) {
    const next = strip(rest);
    if (next === rest) break;
    rest = next;
  }
  return rest;
}

function strip(word: string): string {
  if (word.endsWith("eed")) return word;
  const short = SHORT.find((suffix) => word.endsWith(suffix) && word.length - suffix.length >= 3);
  const long = LONG.find((suffix) => word.endsWith(suffix) && word.length - suffix.length >= 4);
  if (word.endsWith("ss") || word.endsWith("us")) {
    return long ? single(word.slice(0, -long.length)) : word;
  }
  const suffix = (long?.length ?? 0) >= (short?.length ?? 0) ? long : short;
  return suffix === undefined ? word : single(word.slice(0, -suffix.length));
}

/** "stopp" is "stop", "worri" is "worr". */
function single(rest: string): string {
  if (/([bdgmnprt])\1$/.test(rest)) return rest.slice(0, -1);
  return rest.length > 3 ? rest.replace(/[iy]$/, "") : rest;
}
