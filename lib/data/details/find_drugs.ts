import { type Detail, fitsArticle, likeCase, type Search } from "./change.ts";

/** Medicines by use: one is believed where another of its group stands. Generic names, then brands. */
const GROUPS = [
  "lisinopril enalapril ramipril benazepril captopril quinapril",
  "losartan valsartan olmesartan candesartan irbesartan",
  "metoprolol atenolol propranolol carvedilol bisoprolol labetalol",
  "amlodipine nifedipine diltiazem verapamil felodipine",
  "hydrochlorothiazide furosemide spironolactone chlorthalidone torsemide",
  "atorvastatin simvastatin pravastatin rosuvastatin lovastatin gemfibrozil fenofibrate",
  "metformin glipizide glyburide pioglitazone sitagliptin glimepiride",
  "warfarin apixaban rivaroxaban dabigatran clopidogrel heparin",
  "ibuprofen naproxen acetaminophen aspirin meloxicam celecoxib diclofenac",
  "morphine oxycodone hydrocodone tramadol codeine methadone fentanyl hydromorphone",
  "amoxicillin penicillin ampicillin cephalexin azithromycin ciprofloxacin levofloxacin doxycycline clindamycin erythromycin",
  "sertraline fluoxetine citalopram paroxetine escitalopram venlafaxine bupropion trazodone",
  "lorazepam alprazolam clonazepam diazepam temazepam zolpidem",
  "gabapentin pregabalin phenytoin topiramate levetiracetam lamotrigine carbamazepine",
  "omeprazole pantoprazole ranitidine famotidine esomeprazole lansoprazole",
  "albuterol salmeterol fluticasone montelukast budesonide ipratropium",
  "prednisone prednisolone dexamethasone hydrocortisone methylprednisolone",
  "methotrexate azathioprine hydroxychloroquine sulfasalazine leflunomide",
  "loratadine cetirizine fexofenadine diphenhydramine hydroxyzine",
  "risperidone olanzapine quetiapine haloperidol aripiprazole clozapine",
  "cyclobenzaprine methocarbamol baclofen tizanidine carisoprodol",
  "sumatriptan rizatriptan zolmitriptan",
  "ondansetron promethazine metoclopramide prochlorperazine",
  "allopurinol colchicine febuxostat probenecid",
  "carboplatin cisplatin doxorubicin cyclophosphamide paclitaxel docetaxel",
  "fluconazole ketoconazole terbinafine nystatin",
  "Coumadin Plavix Eliquis Xarelto",
  "Lipitor Zocor Crestor Pravachol",
  "Claritin Zyrtec Allegra Benadryl",
  "Tylenol Motrin Advil Aleve",
  "Vicodin Percocet Norco OxyContin",
  "Prozac Zoloft Paxil Lexapro Wellbutrin Celexa",
  "Xanax Ativan Klonopin Valium",
  "Nexium Prilosec Protonix Prevacid",
  "Neurontin Lyrica Dilantin Topamax",
  "Toprol Coreg Tenormin",
  "Glucophage Glucotrol Januvia Actos",
  "Augmentin Keflex Cipro Bactrim Zithromax",
  "Advair Flovent Symbicort Singulair",
].map((names) => names.split(" "));
const NAMES = GROUPS.flat();
/** Names of medicines, generic and brands, in lower case. */
export const DRUG_NAMES: ReadonlySet<string> = new Set(NAMES.map((name) => name.toLowerCase()));
const FOUND = new RegExp(`\\b(?:${NAMES.join("|")})\\b`, "gi");

/** Finds medicines, each with others of its use; every mention of one changes with it. */
export function findDrugs({ text, source }: Search): Detail[] {
  const mentions = [...text.matchAll(FOUND)];
  const own = new Set(mentions.map(([name]) => name.toLowerCase()));
  return [...Map.groupBy(mentions, ([name]) => name.toLowerCase())].map(([name, same]) => {
    const group = GROUPS.find((names) => names.some((other) => other.toLowerCase() === name))!;
    const changes = group
      .filter((other) =>
        !own.has(other.toLowerCase()) && !source.text.includes(other.toLowerCase())
      )
      .filter((other) => same.every(({ index }) => fitsArticle(text, index, other)))
      .map((other) => ({
        before: same[0][0],
        after: likeCase(other, same[0][0]),
        edits: same.map(({ 0: word, index }) => ({
          start: index,
          end: index + word.length,
          text: likeCase(other, word),
        })),
      }));
    return { kind: "drug" as const, supported: source.text.includes(name), changes };
  });
}
