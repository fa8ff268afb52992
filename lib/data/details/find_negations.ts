import {
  applyChange,
  type Change,
  type Detail,
  type Edit,
  fitsArticle,
  likeCase,
  type Search,
} from "./change.ts";

/** Words that only live under a negation, or that turn it: such a sentence is left alone. */
const TURNING =
  /\b(?:either|neither|nor|ever|anything|anyone|anybody|anymore|anywhere|at all|yet|much|until|but|only|otherwise|except|longer|unless|enough|any (?:other|of|more|further|longer|kind|sort|type)|any\b.*\bany)\b/i;
/** Nouns that need no article. */
const MASS =
  /^(?:\w+(?:[^aeious]s|es|ies|nea|ria|gia|ness|emia|phagia|rhea|itis|sion)|pain|fever|cough|weakness|numbness|vomiting|swelling|bleeding|tingling|itching|wheezing|burning|snoring|drinking|smoking|discharge|difficulty|trouble|trauma|edema|evidence|history|loss|distress|discomfort|tenderness|redness|drainage|alcohol|tobacco|drug use|use|surgery|dysuria|hematuria|blood|breath|erythema|relief|improvement|radiation|shortness|congestion|fatigue|sputum|injury|exposure|contact|intolerance|constipation|asthma|incontinence|palpitations|depression|anxiety|hypertension|diabetes)$/i;
const NOT_AFTER_NO =
  /^(?:other|further|more|longer|one|additional|matter|doubt|way|idea|new|change|such|known(?! (?:drug |food |medication )?allerg)|\d)/i;

/** Behind "does not": no verb, so that there is nothing to inflect. */
const NO_VERB = /^(?:\w+ly|always|often|also|even|just|still)$/;
/** A second verb under the same "does not", which would have to be inflected too. */
const SECOND_VERB =
  /^,|\b(?:or|and) (?:drink|smoke|use|take|have|feel|eat|see|drive|work|exercise|abuse|chew|do|go)\b/i;

/**
 * A rule: what is looked for and what stands there afterwards; `null` leaves the place alone. A
 * group `verb` belongs to what is denied.
 */
type Rule = { found: RegExp; turn: (match: RegExpMatchArray, after: string) => string | null };

const swaps: Record<string, string> = {
  denies: "reports",
  denied: "reported",
  deny: "report",
  denying: "reporting",
  reports: "denies",
  reported: "denied",
  "complains of": "denies",
  "complained of": "denied",
  "complaining of": "denying",
  "admits to": "denies",
  endorses: "denies",
  positive: "negative",
  negative: "positive",
  nonsmoker: "smoker",
  smoker: "nonsmoker",
  nontender: "tender",
  afebrile: "febrile",
  febrile: "afebrile",
};
const swap = ([word]: RegExpMatchArray) => likeCase(swaps[word.toLowerCase()], word);

const RULES: Rule[] = [
  { found: /\b(?:denies|denied|deny|denying)(?= \w)/gi, turn: swap },
  {
    found:
      /\b(?:reports|complain(?:s|ed|ing) of|admits to|endorses)\b(?! (?:no|not|that|a history|being|both|his|her|their)\b)/gi,
    turn: swap,
  },
  {
    found:
      /\b(?:he|she|patient|they|mother|father) (?:also )?reported\b(?! (?:no|that|to|both|his|her|their)\b)/gi,
    turn: ([words]) => words.replace(/reported$/, "denied"),
  },
  { found: /\b(?:positive|negative)(?= for\b)/gi, turn: swap },
  { found: /(?<=\b(?:is|are|was|were|tested) )(?:positive|negative)\b(?! for\b)/gi, turn: swap },
  {
    found:
      /\b(?:nonsmoker|nontender|afebrile|febrile|(?<=(?:^|[.;:\n]\s*|\ba |current ))smoker)\b/gi,
    turn: swap,
  },
  {
    found: /(?<=\b(?:has|have|had|with|there (?:is|was|are|were)|,|and|or) )no (?=\w)/gi,
    turn: (_, after) => standsAlone(after) ? "" : null,
  },
  {
    found: /(?<=^|[.;:!?\n]\s*)No (?=\w)/g,
    turn: (_, after) => NOT_AFTER_NO.test(after) ? null : "",
  },
  {
    found: /\bwithout (?:any )?(?!\w+ing\b|the\b|a\b)/gi,
    turn: ([word]) => likeCase("with ", word),
  },
  {
    found:
      /(?<=\b(?:is|was|are|were|has|have|had|will|would|could)) not\b(?! (?:only|really|quite|necessarily|too|very|so|certain|sure|because|as|that|to|and|feel like|nearly)\b)/gi,
    turn: () => "",
  },
  {
    found:
      /\bdo(?:es)? not (?!(?:only|feel like|know|recall|remember|seem|want|do|resuscitate|intubate)\b)(?<verb>[a-z]+)\b/gi,
    turn: affirm,
  },
  {
    found: /\bcannot\b(?! (?:recall|remember|think|explain))/gi,
    turn: ([word]) => likeCase("can", word),
  },
  { found: /(?<=\b(?:has|have|had)) never\b/gi, turn: () => "" },
  { found: /(?<=^|[.;:!?\n]\s*)Never (?=\w)/g, turn: () => "" },
  { found: /\bno longer\b/gi, turn: ([word]) => likeCase("still", word) },
  {
    found:
      /(?<=\b(?:has|had|with)) (?:a )?(?:(?:long|past|known|strong|remote|prior|significant|medical|family) )*history of\b/gi,
    turn: () => " no history of",
  },
  { found: /(?<=^|[.;:!?\n]\s*)History of\b/g, turn: () => "No history of" },
];

/** "does not smoke" becomes "smokes"; "did not" is left alone, for its verbs are irregular. */
function affirm(match: RegExpMatchArray, after: string): string | null {
  const { verb } = match.groups!;
  if (NO_VERB.test(verb) || SECOND_VERB.test(after.split(/[.;:!?\n]/)[0])) return null;
  return likeCase(/^does/i.test(match[0]) ? thirdPerson(verb) : verb, match[0]);
}

function thirdPerson(verb: string): string {
  if (verb === "have") return "has";
  if (/[^aeiou]y$/.test(verb)) return `${verb.slice(0, -1)}ies`;
  return /(?:s|x|z|ch|sh|o)$/.test(verb) ? `${verb}es` : `${verb}s`;
}

/** Finds what is denied or affirmed, each turned into its contrary. */
export function findNegations({ text, source }: Search): Detail[] {
  return RULES.flatMap(({ found, turn }) =>
    [...text.matchAll(found)].flatMap((match) => {
      const change = turnAt(text, match, turn);
      return change
        ? [{
          kind: "negation" as const,
          supported: isSpoken(text, match, source.text),
          changes: [change],
        }]
        : [];
    })
  );
}

function turnAt(text: string, match: RegExpMatchArray, turn: Rule["turn"]): Change | null {
  const start = match.index!;
  const end = start + match[0].length;
  const sentence = /^(?:[^.;!?\n]|\.(?=\d))*/.exec(text.slice(end))![0];
  const begun = /(?:[^.;!?\n]|\.(?=\d))*$/.exec(text.slice(0, start))![0];
  if (TURNING.test(sentence) || /\b(?:either|neither|but|if|whether)\b/i.test(begun)) return null;
  const replacement = turn(match, text.slice(end));
  if (replacement === null || !fitsArticle(text, start, replacement)) return null;
  const edits = [{ start, end, text: replacement }];
  if (replacement === "" && /^\p{Lu}/u.test(match[0])) {
    edits.push({ start: end, end: end + 1, text: text[end].toUpperCase() });
  }
  // What is affirmed is no longer "any", unless another negation stands before it.
  const any = /^((?!.*\b(?:no|not|without|den\w+)\b.*\bany ).*?\b)any /i.exec(sentence);
  if (any) {
    const from = end + any[1].length;
    edits.push({ start: from, end: from + "any ".length, text: "" });
  }
  return describeChange(text, edits);
}

/** Shows what changes with the words around it. */
function describeChange(text: string, edits: Edit[]): Change {
  const [{ start, end }] = edits;
  const from = start - /(?:[^\s.;:!?,]+ ?)?$/.exec(text.slice(0, start))![0].length;
  const to = end + /^ ?(?:any )?[^\s.;:!?,]*/.exec(text.slice(end))![0].length;
  const near = edits.filter((edit) => edit.end <= to)
    .map((edit) => ({ ...edit, start: edit.start - from, end: edit.end - from }));
  const before = text.slice(from, to);
  const after = applyChange(before, { edits: near });
  return { before: before.trim(), after: after.trim(), edits };
}

/** Whether the noun after "no" reads well without it. */
function standsAlone(after: string): boolean {
  if (NOT_AFTER_NO.test(after)) return false;
  const phrase = /^[\w' -]*/.exec(after)![0].split(
    / (?:and|or|of|in|to|at|on|with|since|for|from|that|when|as|is|was|during|noted|other)\b/,
  )[0];
  return MASS.test(phrase.trim().split(" ").at(-1)!);
}

/** Whether the source speaks of what follows. */
function isSpoken(text: string, match: RegExpMatchArray, source: string): boolean {
  const denied = match.index! + match[0].length - (match.groups?.verb.length ?? 0);
  const [sentence] = /^[^.;!?\n]*/.exec(text.slice(denied))!;
  const words = sentence.toLowerCase().match(/[a-z]{4,}/g) ?? [];
  return words.slice(0, 3).some((word) => source.includes(word.slice(0, 5)));
}
