import { formatPercent } from "./format.ts";

/** What an epoch's block shows; losses in nats, the preference between 0 and 1. What is absent is left out. */
export type EpochNumbers = {
  /** Counted from 1. */
  epoch: number;
  numEpochs: number;
  trainLoss: number;
  valLoss?: number;
  chosenPreference?: number;
};

/** The lines that are printed at an epoch's end, as users of the original system know them. */
export function formatEpochBlock(numbers: EpochNumbers): string {
  const { epoch, numEpochs, trainLoss, valLoss, chosenPreference } = numbers;
  return [
    `Epoch ${epoch}/${numEpochs}:`,
    "=".repeat(60),
    `Train Loss: ${trainLoss.toFixed(2)}`,
    ...(valLoss === undefined ? [] : [`Val Loss: ${valLoss.toFixed(2)}`]),
    ...(chosenPreference === undefined
      ? []
      : [`Chosen Preference: ${formatPercent(chosenPreference)}`]),
  ].join("\n");
}
