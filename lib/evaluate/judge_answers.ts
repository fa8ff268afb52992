import { measureHallucination } from "../meter/measure_hallucination.ts";
import { bootstrap, type BootstrapOptions, type Estimated, shareInterval } from "./bootstrap.ts";
import { type Task, textOf } from "./write_texts.ts";

/** What the meter says of answers that people, or a program, held to be good. */
export type AnswerScores = {
  answers: number;
  details: number;
  unsupported: number;
  hallucinationRate: Estimated;
  notesWithHallucination: Estimated;
};

/**
 * Measures the chosen answers themselves: where they carry details that the prompt does not bear
 * out, imitation can't get better than they are, and a contrast may.
 */
export function judgeAnswers(
  tasks: readonly Task[],
  options: BootstrapOptions = {},
): AnswerScores {
  const measured = tasks.map(({ prompt, reference }) =>
    measureHallucination(reference, textOf(prompt))
  );
  const details = measured.map((result) => result.details);
  const unsupported = measured.map((result) => result.unsupported.length);
  const wrong = unsupported.map((count) => Number(count > 0));
  const found = bootstrap(
    [details, unsupported, wrong],
    ([all, bad, notes], count) => [bad / all, notes / count],
    options,
  );
  const [hallucinationRate, notesWithHallucination] = found.map((share) =>
    shareInterval(share, tasks.length)
  );
  const add = (values: number[]) => values.reduce((a, b) => a + b, 0);
  return {
    answers: tasks.length,
    ...{ details: add(details), unsupported: add(unsupported) },
    ...{ hallucinationRate, notesWithHallucination },
  };
}
