import { formatEpochBlock } from "../../scripts/cli/epoch_block.ts";
import {
  formatBytes,
  formatDuration,
  formatPercent,
  formatRate,
  parseBytes,
} from "../../scripts/cli/format.ts";
import { assertEquals } from "../../lib/std.ts";

Deno.test("formatBytes() picks the unit", () => {
  assertEquals(
    [0, 999, 1000, 9_940, 9_960, 999_499, 999_500, 274e6, 3.14e9, 5e15].map(formatBytes),
    [
      "0 B",
      "999 B",
      "1.0 kB",
      "9.9 kB",
      "10 kB",
      "999 kB",
      "1.0 MB",
      "274 MB",
      "3.1 GB",
      "5000 TB",
    ],
  );
});

Deno.test("formatDuration() picks the units and carries", () => {
  assertEquals(
    [0, 4.24, 9.96, 59.4, 59.6, 200, 3599.4, 3599.6, 7500, 7199].map(formatDuration),
    ["0s", "4.2s", "10s", "59s", "1m00s", "3m20s", "59m59s", "1h00m", "2h05m", "2h00m"],
  );
});

Deno.test("formatPercent() and formatRate() keep the digits that say something", () => {
  assertEquals([0, 0.554, 0.555, 1].map(formatPercent), ["0%", "55%", "56%", "100%"]);
  assertEquals([0.247, 1.83, 99.94, 540.4, 12_400].map(formatRate), [
    "0.25",
    "1.8",
    "99.9",
    "540",
    "12,400",
  ]);
});

Deno.test("formatEpochBlock() is the block that users of the original know", () => {
  const numbers = { trainLoss: 0.6812, valLoss: 0.6499, chosenPreference: 0.55 };
  assertEquals(
    formatEpochBlock({ epoch: 1, numEpochs: 2, ...numbers }),
    `Epoch 1/2:
============================================================
Train Loss: 0.68
Val Loss: 0.65
Chosen Preference: 55%`,
  );
});

Deno.test("parseBytes() reads sizes as they are typed, and nothing else", () => {
  assertEquals(
    ["500MB", "5GB", "2GiB", "1.5 kB", "3G", "77", "12B"].map(parseBytes),
    [5e8, 5e9, 2 ** 31, 1500, 3e9, 77, 12],
  );
  for (const text of ["", "0", "GB", "-1GB", "5XB", "1e9", "5 GB each"]) {
    assertEquals(parseBytes(text), undefined, text);
  }
});
