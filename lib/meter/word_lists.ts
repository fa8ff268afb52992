import { DRUG_NAMES } from "../data/details/find_drugs.ts";
import { stem } from "./stem.ts";

const words = (text: string) => text.trim().split(/\s+/);

/** Words that state nothing by themselves. */
export const FUNCTION_WORDS = new Set(words(`
a an the and or but nor so yet if then than that this these those there here it its itself he him his
himself she her hers herself they them their theirs themselves i me my mine myself we us our ours you
your yours yourself who whom whose which what when where why how whether be is am are was were been
being do does did done doing have has had having can could will would shall should may might must
ought of in on at by to from for with about into onto upon over under above below between through
during before after since until till against among around along across behind beside besides beyond
within without toward towards per via off out up down as like unlike because while although though
however therefore thus hence also too very quite rather just only even still again already ever never
always often sometimes usually almost nearly much many more most less least few several some any all
both each every either neither none no not other another others such same own one ones etc ie eg
really actually basically probably perhaps maybe else well yes yeah okay ok oh um uh hmm now soon later
today once twice ago back away further furthermore moreover otherwise overall approximately roughly
bit lot lots kind sort thing things something anything everything nothing someone anyone everyone
somebody anybody nobody way ways let lets got get gets getting go goes going went gone come comes
came coming make makes made making take takes took taken taking put puts seem seems seemed appear
appears appeared become becomes became say says said tell tells told ask asks asked know knows knew
known think thinks thought want wants wanted feel feels felt feeling look looks looked see sees saw
seen seeing give gives gave given find finds found use uses used using try tries tried keep keeps
kept able due recent recently currently current ongoing including includes include included
regarding concerning respectively initially first second last next prior previous previously
subsequently mr mrs ms miss dr doctor sir ma'am don't doesn't didn't isn't aren't wasn't weren't
hasn't haven't hadn't can't cannot couldn't won't wouldn't shouldn't
`));

/** Stems of the words that every note is made of, whatever it states: they need no support. */
export const FRAME_STEMS = new Set(
  words(`
symptom discuss agree perform physical develop possible answer point primarily little benefit question
far aspect course onset sustain region essentially level progressively essential different total nature
except reveal believe controlled unfortunately especially pleasant management member detail fairly
tolerate routine appointment explain continue confirm change scale mostly seek sought elect proceed
situation term extent basis finding active likely usage immediate possibly amount historian gradually
briefly degree versus baseline document demonstrate decide provide subjective involve information fact
evidence length constitutional inform establish obtain originally attribute cause bring completely
predominantly gross earlier formerly claim repeatedly need show manage serious date event ultimately
plus fail longer talk remainder combination mainly suffer locate appreciate strong request grossly lead
shortly require vague happen entirely whole affect component offer please service finish involve
additional numerous main major remain feature addition reach interval session series return visit
office clinic factor bothersome help approach issue problem good well better name person people day
today tonight yesterday chart subsequent eventually mean place decision various multiple couple sort
fine normal regular frequent occasional unchanged stable accord somewhat unaware desire receive diagnose
post care noncontributory contributory subject situation full complete ii iii type due new old open
long short early late usual usually brought
patient pt history hx past present presents presented presenting report reports reported state states
stated note notes noted notable describe described deny denies denied admit admits admitted complain
complains complaint complaints endorse endorses chief concern concerns note significant significantly
positive negative remarkable unremarkable noncontributory otherwise status evaluation evaluated
evaluate assessment plan follow follows followed following followup medical clinical current known
unknown none reason secondary regard respect aware unable apparent apparently certain general
generally particular particularly specific specifically additional additionally associate associated
association relate related consistent include available review reviewed systems indicate indicated
mention mentioned time times place case part type use way note occur occurs occurred occurring
experience experiences experienced experiencing undergo underwent undergone begin began start started
year years old age aged male female man woman gentleman lady boy girl day days week weeks month months
hour hours minute minutes
`).map(stem),
);

/** Stems of findings without another name. */
export const FINDING_STEMS = new Set(
  words(`
cough sneeze snore hoarseness tremor twitch blister polyp cyst mole wart limp clubbing rale rhonchi
gallop rub guarding adenopathy organomegaly hepatomegaly splenomegaly hepatosplenomegaly diplopia
dysarthria aphasia ataxia hemiparesis deformity straining hesitancy urgency complication goiter thrush
`).map(stem),
);

/** Stems of what has another name and is no finding: times, places, people, doings, parts. */
export const CIRCUMSTANCE_STEMS = new Set(
  words(`
night bedtime evening nighttime nocturnal morning nightly daily weekly monthly home house lives living
live reside works work working job school recommend recommended examine examination exam evaluation
check test study walk walking ambulate ambulation exertion exercise activity move movement motion skin
abdomen abdominal belly stomach chest ear eye nose mouth throat neck back spine spinal lumbar cervical
thoracic heart lung brain liver kidney bowel bladder breast extremity upper lower anterior posterior
lateral medial distal proximal bilateral family mother father parent son
daughter relative maternal paternal spouse physician doctor hospital emergency pregnancy delivery
birth onset initial first prior subsequent before after state mention notice see approximately normal
good well currently recently similar able continue increase decrease elevated high low require obtain
difficulty difficult trouble problem issue concern hard worse worsen
severe mild moderate constant intermittent chronic acute frequent rare significant side right left
`).map(stem),
);

/** Diagnoses that no ending gives away. */
export const DIAGNOSES = new Set(words(`
asthma diabetes hypertension hypotension cancer tumor stroke epilepsy migraine migraines depression
anxiety schizophrenia bipolar dementia alzheimer parkinson pneumonia influenza flu tuberculosis hiv
aids gout lupus fibromyalgia eczema acne fracture hernia glaucoma cataract cataracts obesity anemia
emphysema copd gerd reflux chf cad htn dm esrd bph mi cva tia dvt uti osa adhd ptsd infarction failure
insufficiency infection ulcer ulcers melanoma lymphoma leukemia hypothyroidism hyperthyroidism
hyperlipidemia hypercholesterolemia dyslipidemia arrhythmia fibrillation embolism thrombosis aneurysm
autism concussion sprain dislocation cirrhosis fibroid fibroids malaria measles mumps chickenpox
varicella pertussis croup meningitis sepsis syndrome disease disorder apnea
`));
const DIAGNOSIS_ENDING =
  /.{3}(?:itis|osis|emia|oma|opathy|algia|iasis|plegia|trophy|stenosis|ectasis)$/;

/** Whether a word names a diagnosis. */
export const isDiagnosis = (word: string) => DIAGNOSES.has(word) || DIAGNOSIS_ENDING.test(word);

/** The same medicine by its generic name and its brands. */
const BRANDS = `
warfarin coumadin; clopidogrel plavix; apixaban eliquis; rivaroxaban xarelto; atorvastatin lipitor;
simvastatin zocor; rosuvastatin crestor; pravastatin pravachol; loratadine claritin; cetirizine zyrtec;
fexofenadine allegra; diphenhydramine benadryl; acetaminophen tylenol paracetamol apap;
ibuprofen motrin advil; naproxen aleve naprosyn; hydrocodone vicodin norco lortab;
oxycodone percocet oxycontin roxicodone; fluoxetine prozac; sertraline zoloft; paroxetine paxil;
escitalopram lexapro; citalopram celexa; bupropion wellbutrin; venlafaxine effexor; duloxetine cymbalta;
alprazolam xanax; lorazepam ativan; clonazepam klonopin; diazepam valium; zolpidem ambien;
esomeprazole nexium; omeprazole prilosec; pantoprazole protonix; lansoprazole prevacid;
ranitidine zantac; famotidine pepcid; gabapentin neurontin; pregabalin lyrica; phenytoin dilantin;
topiramate topamax; levetiracetam keppra; lamotrigine lamictal; carbamazepine tegretol;
metoprolol toprol lopressor; carvedilol coreg; atenolol tenormin; propranolol inderal;
lisinopril zestril prinivil; losartan cozaar; valsartan diovan; amlodipine norvasc; furosemide lasix;
hydrochlorothiazide hctz; spironolactone aldactone; metformin glucophage; glipizide glucotrol;
sitagliptin januvia; pioglitazone actos; amoxicillin amoxil; cephalexin keflex; ciprofloxacin cipro;
levofloxacin levaquin; azithromycin zithromax zpak; montelukast singulair; albuterol ventolin proventil
proair; fluticasone flonase flovent; quetiapine seroquel; risperidone risperdal; olanzapine zyprexa;
aripiprazole abilify; cyclobenzaprine flexeril; carisoprodol soma; tramadol ultram; sumatriptan imitrex;
ondansetron zofran; promethazine phenergan; metoclopramide reglan; levothyroxine synthroid;
allopurinol zyloprim; sildenafil viagra; tadalafil cialis; methylphenidate ritalin concerta;
amphetamine adderall; insulin lantus humalog novolog; celecoxib celebrex; meloxicam mobic;
alendronate fosamax; tamsulosin flomax; finasteride proscar; digoxin lanoxin; potassium kcl;
aspirin asa; trazodone desyrel; isotretinoin accutane; enoxaparin lovenox; prednisone deltasone;
methylprednisolone medrol; trimethoprim bactrim septra; penicillin pcn
`;
/** Brand and generic names, each with the generic one. */
export const GENERIC_NAMES: ReadonlyMap<string, string> = new Map(
  BRANDS.split(";").map((line) => words(line)).flatMap((names) =>
    names.map((name): [string, string] => [name, names[0]])
  ),
);
const DRUG_ENDING =
  /.{3}(?:pril|sartan|olol|statin|azole|cillin|mycin|oxacin|azepam|azolam|tidine|prazole|dipine|cycline|profen|triptan|gliptin|gliflozin|setron|mab|tinib|virine|barbital|caine)$/;

/** Whether a word names a medicine. */
export const isDrug = (word: string) =>
  DRUG_NAMES.has(word) || GENERIC_NAMES.has(word) || DRUG_ENDING.test(word);
