import { FEMALE, MALE } from "../data/details/find_sex.ts";

/** Whether words of a man and of a woman occur, whoever they are. */
export function sexOf(text: string): { male: boolean; female: boolean } {
  return { male: MALE.test(text), female: FEMALE.test(text) };
}
