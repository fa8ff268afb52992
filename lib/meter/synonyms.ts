/**
 * Ways to say the same: notes are written in clinical terms and abbreviations, people speak plainly.
 * A line is a concept, its names parted by commas. Written for this project from common knowledge.
 */
export const SYNONYMS = `
hypertension, high blood pressure, elevated blood pressure, htn, hypertensive, blood pressure is high, pressure was high
hypotension, low blood pressure
hyperlipidemia, high cholesterol, hypercholesterolemia, dyslipidemia, hld
diabetes, diabetes mellitus, dm, high blood sugar, hyperglycemia, diabetic, niddm, iddm, sugar diabetes
hypoglycemia, low blood sugar
coronary artery disease, cad, coronary disease, heart disease, cardiac disease, heart problem
myocardial infarction, heart attack, mi
congestive heart failure, chf, heart failure, hf
cerebrovascular accident, stroke, cva
transient ischemic attack, tia, mini stroke
atrial fibrillation, a fib, afib, irregular heartbeat, arrhythmia
chronic obstructive pulmonary disease, copd, emphysema
gastroesophageal reflux disease, gerd, acid reflux, reflux, heartburn
urinary tract infection, uti, bladder infection
upper respiratory infection, uri, cold
benign prostatic hyperplasia, bph, enlarged prostate
end stage renal disease, esrd, kidney failure, renal failure
deep vein thrombosis, dvt, blood clot, thrombosis
pulmonary embolism, pe
rheumatoid arthritis, ra
degenerative joint disease, djd, osteoarthritis, oa, arthritis
sexually transmitted disease, std, sexually transmitted infection, sti
human immunodeficiency virus, hiv, aids
attention deficit hyperactivity disorder, adhd, add, attention deficit
post traumatic stress disorder, ptsd
traumatic brain injury, tbi
multiple sclerosis, ms
irritable bowel syndrome, ibs
obstructive sleep apnea, osa, sleep apnea
motor vehicle accident, mva, car accident, motor vehicle collision, mvc, car crash, auto accident, car wreck
shortness of breath, short of breath, dyspnea, sob, trouble breathing, hard to breathe, difficulty breathing, breathless, breathing problem, catch my breath, out of breath, winded, breathing trouble, breathing difficulty, can't breathe, breathing hard
orthopnea, lying flat, pillows
vomiting, emesis, throw up, throwing up, threw up, puke, puking
nausea, nauseous, nauseated, sick to my stomach, queasy, upset stomach, n/v
diarrhea, loose stool, loose bowel movement, the runs, watery stool
constipation, constipated, trouble going to the bathroom
syncope, pass out, passed out, faint, fainting, black out, blackout, lose consciousness, loss of consciousness, fainted, unconscious, loc
dizziness, dizzy, lightheaded, vertigo, light headed, spinning
headache, head hurts, head pain, cephalgia, ha
pyrexia, fever, febrile, high temperature, temperature
chills, shivering, rigors
fatigue, tired, exhausted, fatigued, tiredness, exhaustion, low energy, no energy, malaise, lethargy, lethargic, worn out, run down
insomnia, trouble sleeping, can't sleep, difficulty sleeping, sleep, sleeping problem
dysphagia, trouble swallowing, difficulty swallowing, hard to swallow, swallow
dysuria, painful urination, burning urination, pain when urinating, burn when I pee, hurts to pee, burning with urination, pain with urination, pee
hematuria, blood in urine, blood in the urine, blood in my urine, bloody urine
hematochezia, blood in stool, bloody stool, rectal bleeding, blood in your stool
melena, black stool, tarry stool
hemoptysis, coughing up blood, cough up blood, coughing blood
epistaxis, nosebleed, nose bleed, bloody nose
rhinorrhea, runny nose, nasal discharge, runny
nasal congestion, stuffy nose, congested, stuffed up, stuffiness, congestion, stuffy
pharyngitis, sore throat, throat pain
otalgia, ear pain, earache, ear ache
odynophagia, painful swallowing, hurts to swallow
polyuria, frequent urination, urinary frequency, urinating a lot
nocturia, urinate at night, up at night to urinate
polydipsia, thirsty, excessive thirst
pruritus, itching, itchy, itch, pruritic
edema, swelling, swollen, swell, puffy
erythema, redness, red, erythematous
ecchymosis, bruise, bruising, contusion, bruised, black and blue
laceration, cut
abrasion, scrape
fracture, broken, break, fractured, broke, broken bone
paresthesia, tingling, pins and needles, tingle, numbness and tingling, numb
seizure, convulsion, epilepsy, fit
anorexia, loss of appetite, decreased appetite, poor appetite, no appetite, not hungry
palpitation, heart racing, racing heart, heart pounding, heart skips, skipped beat, heart flutter
chest pain, chest hurts, angina, cp, chest pressure, chest discomfort, chest tightness
abdomen, abdominal, belly, stomach, tummy, gut, gastric, abd
low back, lower back, lumbar, lumbosacral, lbp
neck, cervical
thorax, thoracic, chest
axilla, axillary, armpit, underarm
lower extremity, leg, le
upper extremity, arm, ue
extremity, limb
patella, patellar, kneecap, knee cap
clavicle, collarbone, collar bone
scapula, shoulder blade
tibia, shin
femur, thigh bone
vertebra, spine, spinal, vertebral, backbone
coccyx, tailbone
cranial, skull
cerebral, brain
cardiac, heart, cardio, cardiovascular, cardiology, cardiologist
pulmonary, lung, respiratory, pulmonology, pulmonologist
renal, kidney, nephrology, nephrologist
hepatic, liver
gastrointestinal, gi, stomach, bowel, gastroenterology, gastroenterologist
genitourinary, gu, urinary, urology, urologist, urine
gynecological, gynecology, gynecologist, ob gyn, obgyn
psychiatric, psychiatry, psychiatrist, mental, psych, mental health, shrink, psychological, psychologist, psychology
dermatology, dermatologist, skin, derm, cutaneous, dermatological
neurology, neurologist, neurologic, neurological
oncology, oncologist
ophthalmology, ophthalmologist, eye doctor, optometrist
otolaryngology, ent, ear nose and throat
orthopedic, orthopedist, orthopaedic, bone doctor
pediatrician, pediatric, kid's doctor
endocrinology, endocrinologist, endocrine
rheumatology, rheumatologist
ocular, eye, ophthalmic
vision, visual, sight, see
nasal, nose
oral, mouth, by mouth, po
auditory, hearing, hear
dental, teeth, tooth, dentist
hallux, big toe, great toe
cancer, carcinoma, malignancy, malignant, tumor, ca, neoplasm, malignancies
metastasis, metastatic, spread
leukemia, blood cancer
benign, not cancerous, noncancerous
lesion, sore, spot, wound, bump, ulcer
mass, lump, growth, bump, nodule
ulcer, sore
rash, hives, urticaria, breakout, eruption, break out, breaking out
acne, pimple, breakout, zit
exanthem, rash
infection, infectious, infected
asthma, asthmatic, rad
allergy, allergic, react, reaction, nka, nkda, allergies
nkda, no known drug allergies, drug allergy, medication allergy, allergic to any medication, nka
pneumonia, pna, lung infection
influenza, flu
immunization, vaccine, vaccination, shot, vaccinated, immunized, up to date
injection, shot, injected
tobacco, smoke, cigarette, smoking, smoker, nicotine, pack
nonsmoker, never smoked, don't smoke, does not smoke
alcohol, alcoholic, etoh, drink, drinker, drinking, ethanol
illicit drug, recreational drug, street drug, drug use, illegal drug, substance abuse, drug abuse, substance, illicit, drug
illicit, recreational, street, illegal
marijuana, weed, pot, cannabis, joint
intravenous, iv
intramuscular, im
surgery, operation, surgical, procedure, operated, operate
postoperative, after surgery, after the surgery, status post, postop, post op
preoperative, before surgery, preop
hysterectomy, uterus removed, uterus taken out
appendectomy, appendix, appendix out
cholecystectomy, gallbladder, gallbladder removed, gall bladder
tonsillectomy, tonsil, tonsils out
cesarean, c section, csection, cesarean section
tubal ligation, tubes tied
vasectomy, tubes tied
mastectomy, breast removed
colonoscopy, colon scope
coronary artery bypass graft, cabg, bypass, open heart surgery
percutaneous coronary intervention, stent
total knee arthroplasty, knee replacement, tka
total hip arthroplasty, hip replacement, tha
arthroplasty, replacement
amputation, amputated, cut off
biopsy, sample taken
transfusion, blood transfusion
dialysis, hemodialysis
chemotherapy, chemo
radiation, radiotherapy, radiation therapy
physical therapy, pt, physical therapist, physiotherapy
occupational therapy, ot
electrocardiogram, ekg, ecg
echocardiogram, echo, heart ultrasound
magnetic resonance imaging, mri
computed tomography, ct, cat scan, ct scan
x ray, xray, radiograph, films, film
ultrasound, sonogram
electroencephalogram, eeg
ultrasound, ultrasonography, us
laboratory, lab, blood work, bloodwork, blood test
hemoglobin, hgb, hb
white blood cell, wbc, white count
complete blood count, cbc
blood pressure, bp
heart rate, hr, pulse
emergency room, er, ed, emergency department, emergency, urgent care
intensive care unit, icu
primary care physician, pcp, primary care doctor, family doctor, regular doctor, primary doctor
physician, doctor, dr, md
nursing home, assisted living, skilled nursing
hospitalization, hospital, hospitalized, admitted, admission, inpatient
discharged, released, sent home
medication, medicine, meds, med, drug, pill, rx, prescription, prescribed, tablet
over the counter, otc
analgesic, painkiller, pain medication, pain medicine, pain pill
antibiotic, abx
antihypertensive, blood pressure medication, blood pressure medicine
multivitamin, vitamin, supplement
contraceptive, birth control, contraception, ocp, oral contraceptive, the pill
anticoagulant, blood thinner, anticoagulation
diuretic, water pill
steroid, corticosteroid, cortisone
bronchodilator, inhaler, nebulizer, rescue inhaler
sedative, sleeping pill
antidepressant, depression medication
nonsteroidal, nsaid, anti inflammatory, antiinflammatory, anti inflammatories
relief, relieve, help, better, improve, alleviate, ease
aggravate, exacerbate, worse, worsen, flare, exacerbation, aggravated
improve, improvement, better, improving
resolve, resolution, gone, go away, went away, cleared
onset, start, begin, began, started
initial, first, beginning, start
radiate, radiation, shoot, travel, spread, go down, goes down, moves, radiating
intermittent, come and go, comes and goes, on and off, off and on, sometimes, occasional, periodic, once in a while, now and then
constant, all the time, continuous, persistent, always, constantly
chronic, long time, long term, longstanding, years
acute, sudden, recent
severe, really bad, very bad, terrible, awful, horrible, intense, bad, excruciating, worst
mild, little, slight, slightly, not bad
moderate, medium
sharp, stabbing, stab
dull, achy, aching, ache
pain, ache, hurt, sore, soreness, painful, tender, discomfort, tenderness, achy, aching, killing, uncomfortable
tender, hurts to touch
stiff, stiffness, tight, tightness
weak, weakness
cramp, cramping, spasm
trauma, injury, injured, hurt, traumatic, accident, injure
fall, fell, tripped, slipped
ambulate, ambulation, walk, walking, ambulatory, gait
cane, walking stick
wheelchair, wheel chair
exercise, workout, work out, gym
exertion, exertional, exercise, activity, exert, climbing, walking
obese, obesity, overweight
weight loss, lose weight, lost weight, losing weight
weight gain, gain weight, gained weight, gaining weight, put on weight
diet, eat, food, nutrition, dietary
appetite, hungry, eating
void, urinate, urination, pee, peeing, urinary, urine, micturition
defecate, bowel movement, bm, poop, stool, go to the bathroom, feces, bowel
stool, bowel movement, poop, fecal
incontinence, leak, accident, incontinent, control of bladder, bladder control, control your bladder
menses, period, menstrual, menstruation, menstrual cycle, lmp, last menstrual period, menstrual period, cycle
menarche, first period
menopause, postmenopausal, menopausal, hot flash, change of life
pregnancy, pregnant, gravida, para, gestation, prenatal, expecting
gestation, weeks pregnant, pregnancy
miscarriage, spontaneous abortion, miscarried, sab
delivery, birth, born, deliver, vaginal delivery, childbirth, gave birth
newborn, infant, baby
intercourse, sex, sexual, sexually
depression, depressed, sad, down, depressive, hopeless
anxiety, anxious, nervous, worry, worried, panic
suicidal, suicide, kill yourself, hurt yourself, harm yourself, kill myself, end your life
homicidal, hurt others, hurt anyone, harm others, hurting others
hallucination, hearing voices, hear voices, seeing things, hallucinate
memory loss, forget, forgetful, memory, dementia, alzheimer, forgetting
confusion, confused, disoriented, altered mental status
irritable, irritability, cranky, fussy, fussiness, agitated, agitation
mother, mom, mommy, mama, mum
father, dad, daddy
grandmother, grandma, nana
grandfather, grandpa
spouse, partner
child, kid
family, relative
married, marriage
divorced, divorce
deceased, passed away, died, dead, pass away, death, passed, die
widow, widowed, husband died, wife died
employed, work, job, employment, works, occupation, career, employee
retired, retirement
unemployed, not working, no job
disabled, disability
lives, live, living, reside, resident, home
student, school, grade, college
exposure, exposed, contact, around anyone
travel, trip, traveling
congenital, born with
hereditary, genetic, runs in the family, inherited
bilateral, both, each, b/l, bilaterally
unilateral, one side
daily, every day, a day, qd, each day, per day, q day, everyday, once a day
nightly, every night, at night, bedtime, qhs, at bedtime, before bed, evening, nocturnal, nighttime, night
morning, a m, qam
weekly, every week, a week, per week
monthly, every month, a month
as needed, prn, when i need it, when needed
approximately, about, around, roughly, almost, nearly, ish
several, few, couple, many, multiple, some, numerous
frequent, often, a lot, frequently, many times
rare, rarely, seldom, hardly
significant, big, major, serious, important
normal, fine, okay, good, unremarkable, within normal limits, wnl, great, well, healthy, ok
abnormal, abnormality, wrong, something wrong, not normal
unremarkable, noncontributory, nothing, no problem, negative
noncontributory, nothing, none, no, unknown, negative, unremarkable
negative, no, none, not, nope, nothing, don't
positive, yes, yeah
unknown, don't know, not sure, no idea
unable, can't, cannot, couldn't, not able
recommend, suggest, should, advise, want you to, recommended, need to
schedule, appointment, set up
follow up, followup, come back, return, see you, check back, f/u, recheck
refer, referral, referred, send you to, sent
evaluate, evaluation, check, look, assess, examine, examination, exam, checkup, assessment
treat, treatment, therapy, treated
prescribe, put you on, start you on, give you, prescription
discontinue, stop, stopped, quit, off, discontinued
initiate, start, begin, started
continue, keep, still, ongoing, remain, same
increase, more, up, raise, higher, elevated, increased, went up
decrease, less, reduce, lower, diminished, cut back, decreased, reduced, cut down
elevated, high
remove, removed, take out, taken out, took out, removal, excision, excised, resection
repair, fix, fixed, repaired
attempt, try, tried, trying
obtain, get, got, gotten
require, need, needed
utilize, use, using
consume, eat, drink
state, say, tell, report, mention
deny, no, don't
experience, have, feel, get
notice, see, noticed, saw, notices
prior, before, previous, previously, past, ago, last, history
subsequent, after, then, later, next, following
currently, now, right now, today, present, at the moment, current
recently, lately, recent, last few days
additional, other, else, another, more, further
difficulty, trouble, hard, problem, difficult, struggle, issue
able, can, could
primary, main, mainly
location, where
duration, how long
associated, along with, with
similar, same, like
awake, wake, awaken, wake up, woke
asleep, sleep, fall asleep
vision change, blurry vision, blurred vision, trouble seeing, see clearly
blurred, blurry
hearing loss, trouble hearing, hard of hearing, deaf
tinnitus, ringing in the ears, ringing in my ears, ringing
photophobia, light sensitivity, sensitive to light, light bothers
diaphoresis, sweat, sweating, sweaty, diaphoretic, perspiration, night sweat
jaundice, yellow, yellowing, jaundiced
cyanosis, blue, turned blue, cyanotic
pallor, pale
wheeze, wheezing, whistling
sputum, phlegm, mucus, productive cough, mucous
productive, bringing up, phlegm, cough up
heart murmur, murmur
varicose vein, varicosity
lymphadenopathy, swollen glands, swollen lymph nodes, lymph node, gland
hypothyroidism, low thyroid, underactive thyroid, hypothyroid
hyperthyroidism, overactive thyroid, graves
anemia, low iron, low blood, anemic
bleeding, hemorrhage, blood, bleed
clot, thrombosis, embolism
hemorrhoid, pile
hernia, herniated
gallstone, cholelithiasis
kidney stone, nephrolithiasis, renal calculus, renal stone, stone
hepatitis, liver infection
cirrhosis
tuberculosis, tb
gout, gouty
osteoporosis, thin bones, bone loss, brittle
scoliosis, curved spine
carpal tunnel, carpal tunnel syndrome
concussion, head injury, hit my head, hit his head, hit her head
strain, pull
sprain, twist, twisted
dislocation, dislocated, popped out
cataract, cloudy
glaucoma, eye pressure
otitis media, ear infection, otitis
conjunctivitis, pink eye
sinusitis, sinus infection
bronchitis, chest cold
gastroenteritis, stomach flu, stomach bug
gastritis, stomach inflammation
varicella, chickenpox, chicken pox
eczema, atopic dermatitis
cellulitis, skin infection
caucasian, white
african american, black
hispanic, latino, latina, mexican
right handed, right hand dominant, right hand
left handed, left hand dominant, left hand
handed, dominant
elderly, old, older
accompany, with, brought, bring, accompanied
ventilator, breathing machine
oxygen, o2
nka, no known allergies
status, doing
consult, consultation, see, saw, referral
compliance, compliant, taking
secondary, due, because, cause, caused
etiology, cause, reason
complication, problem
uncomplicated, no problem, no complication, without complication
asymptomatic, no symptom, feel fine, feeling fine
symptom, sign
complaint, concern, problem, issue, bother, complain
illness, sick, ill, disease, condition
disease, disorder, problem, condition, illness
well developed, growing
development, milestone, growth
feeding, feed, nursing, breastfeeding, breast fed, formula, bottle
foreign body, object
pet, animal
stress, stressful, stressed
abuse, abused, abusive, domestic violence
ethanol abuse, alcoholism, alcoholic
withdrawal, withdraw
sober, sobriety, clean
fluid, water, liquid
vegetarian, no meat
incision, cut, scar
drainage, discharge, pus, drain, oozing, ooze, draining
ambulance, ems, paramedic
police, officer, cop
rule out, r/o
range of motion, rom, move, movement, motion
numb, numbness
upper, top
lower, bottom
proximal, upper
distal, lower
anterior, front
posterior, back
lateral, outside, side
medial, inside, inner
radiculopathy, nerve pain, pinched nerve
sciatica, sciatic
neuropathy, nerve damage
disc, disk
fusion, fused
inflammation, inflamed, inflammatory
`;

/** A term that some narrower ones vouch for, not the other way round. */
export const BROADER = `
surgery < hysterectomy, appendectomy, cholecystectomy, tonsillectomy, mastectomy, vasectomy, arthroplasty, arthroscopy, laparoscopy, lumpectomy, c section, bypass, transplant, amputation, fusion, replacement, removed, gastrectomy, colectomy, nephrectomy, thyroidectomy, craniotomy, laminectomy, circumcision, hernia repair, remove, taken out
medication < aspirin, insulin, inhaler, antibiotic, steroid, ointment, cream, injection, vitamin
imaging < mri, ct, x ray, ultrasound
study < mri, ct, x ray, ultrasound, test
test < mri, ct, x ray, ultrasound, blood work, ekg, screening
malignancy < leukemia, lymphoma, melanoma, cancer
cancer < leukemia, lymphoma, melanoma, carcinoma
family < mother, father, mom, dad, brother, sister, grandmother, grandfather, grandma, grandpa, aunt, uncle, parent, sibling, son, daughter, husband, wife, cousin, niece, nephew
relative < mother, father, mom, dad, brother, sister, aunt, uncle, cousin, grandmother, grandfather, grandma, grandpa
parent < mother, father, mom, dad
sibling < brother, sister
mother < parents
father < parents
child < son, daughter, baby, infant
spouse < husband, wife
married < husband, wife
divorced < ex husband, ex wife
maternal < mother, mom
paternal < father, dad
extremity < arm, leg, hand, foot
limb < arm, leg
digit < finger, toe, thumb
foot < heel, toe
hand < finger, thumb, palm
thyroid < hypothyroidism, hyperthyroidism, goiter
steroid < prednisone, prednisolone, dexamethasone, hydrocortisone, methylprednisolone
alcohol < beer, wine, liquor, whiskey, vodka
drink < beer, wine, liquor
tobacco < cigar, chew, vape
illicit < marijuana, cocaine, heroin, weed, meth
drug < marijuana, cocaine, heroin, weed
pet < dog, cat
animal < dog, cat
caffeine < coffee, tea, soda
vehicle < car, truck, motorcycle
allergy < hives
arthritis < osteoarthritis, rheumatoid
neuropathy < numbness
headache < migraine
lung < pneumonia, copd, emphysema
skin < rash, eczema, dermatitis
mental < depression, anxiety, schizophrenia, bipolar
psychiatric < depression, anxiety, schizophrenia, bipolar
`;
