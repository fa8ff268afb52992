import type { Detail, Search } from "./change.ts";
import { nameFinder } from "./name_finder.ts";

const rows = (lines: string[]) => lines.map((line) => line.split(", "));

/** Diagnoses of one sort, in forms that fit the same sentences. */
const DIAGNOSES = rows([
  "asthma, emphysema, bronchitis, pneumonia, sarcoidosis, tuberculosis",
  "hypertension, hyperlipidemia, diabetes, hypothyroidism, osteoporosis, gout, anemia",
  "osteoarthritis, rheumatoid arthritis, fibromyalgia, lupus, psoriasis",
  "depression, anxiety, schizophrenia, bipolar disorder",
  "stroke, heart attack, seizure, blood clot",
  "strokes, heart attacks, seizures, blood clots",
  "diverticulitis, appendicitis, pancreatitis, cholecystitis, gastritis, colitis",
  "sinusitis, pharyngitis, tonsillitis, laryngitis",
  "cellulitis, eczema, shingles, impetigo",
  "coronary artery disease, congestive heart failure, atrial fibrillation, peripheral vascular disease",
  "lung cancer, colon cancer, breast cancer, kidney cancer, bladder cancer, stomach cancer",
  "kidney stones, gallstones, stomach ulcers",
  "dementia, epilepsy, multiple sclerosis",
  "glaucoma, cataracts, macular degeneration",
  "gastroesophageal reflux disease, peptic ulcer disease, irritable bowel syndrome, celiac disease",
  "measles, mumps, chickenpox, whooping cough",
]);

/** Complaints of one part of the body, none of them with an article. */
const SYMPTOMS = rows([
  "nausea, vomiting, diarrhea, constipation, heartburn, bloating",
  "fever, chills, fatigue, night sweats, weight loss",
  "wheezing, sore throat, nasal congestion, hoarseness",
  "headaches, dizziness, blurred vision, double vision",
  "numbness, tingling, weakness, stiffness, swelling",
  "itching, burning, redness, blistering",
  "insomnia, snoring, irritability, restlessness",
  "palpitations, shortness of breath, leg swelling",
  "dysuria, hematuria, incontinence, urinary frequency",
]);

const PROCEDURES = rows([
  "appendectomy, tonsillectomy, cholecystectomy, splenectomy, thyroidectomy",
  "colonoscopy, endoscopy, sigmoidoscopy, bronchoscopy, cystoscopy",
  "appendix, tonsils, gallbladder, spleen",
  "physical therapy, acupuncture, chiropractic care",
  "chemotherapy, radiation therapy, immunotherapy",
]);

/** Nothing that belongs to the name: a sentence's or a list's beginning, or words that fit any. */
const LEAD =
  /(?:^|[.;:,(\n]|\d\.|\b(?:of|with|has|have|had|having|and|or|by|for|from|to|includ(?:es?|ing)|some|any|occasional|severe|mild|moderate|chronic|acute|recurrent|intermittent|increased|increasing|worsening|persistent|possible|probable|known|likely|developed|experienced|experiencing|reports?|reported|denies|complains of|significant|new|old|is|was|for))\s*$/i;
/** A count noun may have an article, too. */
const LEAD_OR_ARTICLE = new RegExp(
  `${LEAD.source}|\\b(?:an?|the|his|her|a previous|a prior)\\s$`,
  "i",
);
/** Nothing that the name belongs to, and no verb that agrees with it. */
const TAIL =
  /^(?:[.;:,)\n]|$|\s+(?:and|or|for|in|on|at|after|since|over|during|when|which|who|that|but|as|while|with|treated|diagnosed|controlled|status|secondary|due|from|\()\b)/i;

const find = [
  nameFinder({ kind: "diagnosis", groups: DIAGNOSES, before: LEAD_OR_ARTICLE, after: TAIL }),
  nameFinder({ kind: "symptom", groups: SYMPTOMS, before: LEAD, after: TAIL }),
  nameFinder({ kind: "procedure", groups: PROCEDURES, before: LEAD_OR_ARTICLE, after: TAIL }),
];

/** Finds diagnoses, symptoms and procedures that are affirmed, each with others of its sort. */
export function findConditions(search: Search): Detail[] {
  return find.flatMap((finder) => finder(search));
}
