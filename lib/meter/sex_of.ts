import { FEMALE, MALE } from "../data/details/find_sex.ts";

/** Words of a sex that aren't pronouns: in a conversation "she" is somebody who isn't there. */
const PRONOUNS = /\b(?:he|him|his|himself|she|her|hers|herself)\b/gi;
const CONVERSATION = /(?:^|\n)\s{0,9}patient\s?:/i;

/** Whether words of a man and of a woman occur that may be the patient's. */
export function sexOf(text: string): { male: boolean; female: boolean } {
  const said = CONVERSATION.test(text) ? text.replace(PRONOUNS, " ") : text;
  return { male: MALE.test(said), female: FEMALE.test(said) };
}
