import fc from "fast-check";
import { formatBarLine, formatPlainLine } from "../../scripts/cli/progress.ts";
import { createScreen } from "../../scripts/cli/screen.ts";
import { assert, assertEquals } from "../../lib/std.ts";

const state = {
  label: "Epoch 1/2",
  total: 256,
  unit: "pairs",
  done: 115,
  tokens: 34_500,
  text: "loss 0.68",
  elapsedMs: 64_000,
  memoryBytes: 2.1e9,
};

Deno.test("formatBarLine() shows bar, rates, memory and time left within 80 columns", () => {
  const line = formatBarLine(state, 80);
  assertEquals(
    line,
    "Epoch 1/2 ███░░░░ 45% 115/256, 1.8 pairs/s, 539 tokens/s, 1m18s left, loss 0.68",
  );
  assert(formatBarLine(state, 120).endsWith("2.1 GB RAM, 1m18s left, loss 0.68"));
});

Deno.test("formatBarLine() leaves out what matters least where columns are few", () => {
  assertEquals(
    formatBarLine(state, 60),
    "Epoch 1/2 █████░░░░░░░ 45% 115/256, 1.8 pairs/s, 1m18s left",
  );
  assertEquals(formatBarLine(state, 30), "Epoch 1/2 ███░░░░ 45% 115/256");
  assertEquals(formatBarLine(state, 12), "Epoch 1/2 4");
});

Deno.test("formatBarLine() never fills its columns, whatever the numbers", () => {
  const count = fc.nat(2 ** 31 - 1);
  const anyState = fc.record({
    label: fc.constantFrom("Epoch 10/12", "Reference", "A label of more words than usual"),
    total: count,
    unit: fc.constantFrom("pairs", "bytes"),
    done: count,
    tokens: count,
    elapsedMs: count,
    memoryBytes: count,
  });
  fc.assert(fc.property(anyState, fc.integer({ min: 1, max: 80 }), (s, columns) => {
    const line = formatBarLine(s, columns);
    assert(line.length < columns, line);
    assert(!/NaN|Infinity|undefined/.test(line), line);
  }));
});

Deno.test("formatPlainLine() tells a log the same", () => {
  assertEquals(
    formatPlainLine(state),
    "Epoch 1/2: 115/256 pairs (45%), 1.8 pairs/s, 539 tokens/s, 2.1 GB RAM, 1m18s left, loss 0.68",
  );
  const download = { label: "model.gguf", unit: "bytes", memoryBytes: 9e7, elapsedMs: 10_000 };
  assertEquals(
    formatPlainLine({ ...download, total: 93e6, done: 50e6, start: 30e6 }),
    "model.gguf: 50 MB of 93 MB (54%), 2.0 MB/s, 22s left",
  );
});

Deno.test("formatPlainLine() counts only this run's work for the rate, and says the time at the end", () => {
  assertEquals(
    formatPlainLine({ ...state, start: 51, tokens: 0, text: "" }),
    "Epoch 1/2: 115/256 pairs (45%), 1.0 pairs/s, 2.1 GB RAM, 2m21s left".replace("1.0", "1"),
  );
  assert(formatPlainLine({ ...state, done: 256 }).includes("1m04s, loss"));
});

/** A screen that writes into a list, with a clock that the test moves. */
function fakeScreen(isTerminal: boolean) {
  const written: string[] = [];
  const clock = { now: 0 };
  const screen = createScreen({
    stdout: (text) => written.push(`out ${text}`),
    stderr: (text) => written.push(`err ${text}`),
    isTerminal,
    columns: () => 40,
    now: () => clock.now,
  });
  return { screen, written, clock };
}

Deno.test("createProgress() writes whole lines, and few, when piped", () => {
  const { screen, written, clock } = fakeScreen(false);
  const progress = screen.progress({ label: "Scoring", total: 100, unit: "pairs" });
  for (let done = 1; done <= 100; done++) {
    clock.now += 500;
    progress.update({ done });
  }
  progress.end();
  assertEquals(written.map((line) => line.replace(/, [\d.]+ [kMG]B RAM/, "")), [
    "err Scoring: 30/100 pairs (30%), 2 pairs/s, 35s left\n",
    "err Scoring: 60/100 pairs (60%), 2 pairs/s, 20s left\n",
    "err Scoring: 90/100 pairs (90%), 2 pairs/s, 5s left\n",
    "err Scoring: 100/100 pairs (100%), 2 pairs/s, 50s\n",
  ]);
});

Deno.test("createProgress() redraws one line on a terminal, ten times a second at most", () => {
  const { screen, written, clock } = fakeScreen(true);
  const progress = screen.progress({ label: "Scoring", total: 100, unit: "pairs" });
  for (let done = 1; done <= 100; done++) {
    clock.now += 10;
    progress.update({ done });
  }
  assertEquals(written.length, 10);
  const isRedrawn = (line: string) => line.startsWith("err \rScoring") && line.endsWith("\x1b[K");
  assert(written.every(isRedrawn), written.join("\n"));
  progress.end();
  assertEquals(written.slice(10, 11), ["err \r\x1b[K"]);
  assert(/^err Scoring .*100%.*\n$/.test(written[11]), written[11]);
});

Deno.test("createScreen() lifts the bar while it prints, and keeps results on stdout", () => {
  const { screen, written, clock } = fakeScreen(true);
  const progress = screen.progress({ label: "Scoring", total: 2, unit: "pairs" });
  clock.now = 200;
  progress.update({ done: 1 });
  const bar = written[0];
  screen.print("result");
  screen.note("remark");
  screen.close();
  const lift = "err \r\x1b[K";
  assertEquals(written.slice(1), [lift, "out result\n", bar, lift, "err remark\n", bar, lift]);
});
