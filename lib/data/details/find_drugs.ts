import { nameFinder } from "./name_finder.ts";

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
/** Names of medicines, generic and brands, in lower case. */
export const DRUG_NAMES: ReadonlySet<string> = new Set(
  GROUPS.flat().map((name) => name.toLowerCase()),
);

/** Finds medicines, each with others of its use; every mention of one changes with it. */
export const findDrugs = nameFinder({ kind: "drug", groups: GROUPS, isDeniedToo: true });
