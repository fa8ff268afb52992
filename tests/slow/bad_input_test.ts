/** Whatever a user names wrongly ends in one clear sentence, exit 1 (2 for usage) and no file. */
import { join } from "node:path";
import { assert, assertEquals } from "../../lib/std.ts";
import { adapterToPeft } from "../../lib/lora/peft_format.ts";
import { writePeftAdapter } from "../../lib/io/peft_adapter.ts";
import { FAMILIES } from "../../lib/model/families.ts";
import { trainedAdapter } from "../lora/tiny_network.ts";
import { TINY } from "../model/taped_llama.ts";
import { letterTokenizer, writeRows } from "../train/tiny_folder.ts";
import { runScript, tinyWorkplace, typed, type Workplace } from "../scripts/run_tiny.ts";

/**
 * Arguments, and how the last line of stderr reads: the whole of it, or its beginning and end; `first`
 * where nothing may have been done before.
 */
type Case = {
  args: string[];
  says: string | [start: string, end: string];
  code?: 1 | 2;
  first?: boolean;
};

/** The flags that each script needs, with good values; a case changes some of them. */
type Flags = Record<string, string>;
const scripts: Record<string, (place: Workplace) => { flags: Flags; model: string; data: string }> =
  {
    train_dpo: ({ at }) => ({
      flags: {
        sft_model_path: at("model"),
        train_file: at("triplets.jsonl"),
        output_dir: at("out"),
      },
      model: "sft_model_path",
      data: "train_file",
    }),
    train_sft: ({ at }) => ({
      flags: { model_path: at("model"), train_file: at("examples.jsonl"), output_dir: at("out") },
      model: "model_path",
      data: "train_file",
    }),
    score: ({ at }) => ({
      flags: { model_path: at("model"), file: at("triplets.jsonl"), output: at("out") },
      model: "model_path",
      data: "file",
    }),
    generate: ({ at }) => ({
      flags: { model_path: at("model"), file: at("triplets.jsonl"), output: at("out") },
      model: "model_path",
      data: "file",
    }),
  };

/** What is wrong in the same way for all of them: the model, the data, where results go. */
async function commonCases(place: Workplace, script: string): Promise<Case[]> {
  const { at } = place, { flags, model, data } = scripts[script](place);
  const weights = await Deno.readFile(join(at("model"), "model.safetensors"));
  const config = JSON.parse(await Deno.readTextFile(join(at("model"), "config.json")));
  const [cut, shape, family, adapter] = [
    await place.modelWith(`${script}_cut`, "model.safetensors", weights.slice(0, -100)),
    await place.modelWith(
      `${script}_shape`,
      "tokenizer.json",
      JSON.stringify({ ...letterTokenizer(), model: { type: "BPE", vocab: [1, 2] } }),
    ),
    await place.modelWith(
      `${script}_family`,
      "config.json",
      JSON.stringify({ ...config, model_type: "mamba" }),
    ),
    at(`${script}_adapter`),
  ];
  await Deno.mkdir(adapter);
  await writePeftAdapter(adapter, adapterToPeft(trainedAdapter({}, 1), at("model"), TINY)); // for 12, not 16
  await Deno.copyFile(join(at("model"), "tokenizer.json"), join(adapter, "tokenizer.json"));
  await Deno.copyFile(join(at("model"), "config.json"), join(adapter, "generation_config.json"));
  await Deno.writeTextFile(at("in_the_way"), "");
  const output = "output_dir" in flags ? "output_dir" : "output";
  return [
    {
      args: typed({ ...flags, [model]: cut }),
      says: [`Cannot read "${join(cut, "model.safetensors")}": `, ""],
    },
    {
      args: typed({ ...flags, [model]: shape }),
      says: [`Cannot read "${join(shape, "tokenizer.json")}": wrong shape at model.vocab: `, ""],
    },
    {
      args: typed({ ...flags, [model]: family }),
      says: [
        `Cannot use the model at "${family}": model_type must be one of ${
          FAMILIES.map(({ name }) => name).join(", ")
        }, found "mamba"`,
        "",
      ],
    },
    {
      args: typed({ ...flags, [model]: adapter }),
      says: [
        `Cannot apply the adapter to "model.layers.0.self_attn.q_proj.weight": it fits a matrix ` +
        "[16, 12], found [16, 16]",
        "",
      ],
    },
    {
      args: typed({ ...flags, [data]: at("gone.jsonl") }),
      says: `Cannot read "${at("gone.jsonl")}": there is no such file or folder`,
    },
    {
      args: typed({ ...flags, [output]: join(at("in_the_way"), "out") }),
      says: `Cannot write "${
        join(at("in_the_way"), "out")
      }": a file stands where a folder is needed`,
      first: output === "output",
    },
    {
      args: typed({ ...flags, batch_siz: "4" }),
      says: "Unknown flag --batch_siz; did you mean --batch_size?",
      code: 2,
    },
  ];
}

/** What only one of them can be told wrongly. */
async function ownCases(place: Workplace, script: string): Promise<Case[]> {
  const { at } = place, { flags } = scripts[script](place);
  const bad = await writeRows(at(`${script}_bad.jsonl`), [{ prompt: "note" }, { prompt: 3 }]);
  switch (script) {
    case "train_dpo":
      return [
        {
          args: typed({ ...flags, val_file: bad, skip_invalid: "true" }),
          says: [`Cannot use "${bad}": wanted at least one triplet, all 2 rows are invalid: `, ""],
        },
        {
          args: typed({ ...flags, max_length: "2", skip_invalid: "true" }),
          says: [
            "Cannot train: the training set has no row: all 4 were left out, the first because: " +
            `Cannot encode "${at("triplets.jsonl")}" line 2: the prompt's `,
            "Raise --max_length",
          ],
        },
        {
          args: typed({ ...flags, resume: "auto" }),
          says: `Cannot resume: "${at("out")}" holds no checkpoint`,
        },
        {
          args: typed({ ...flags, loss_type: "sigmoid,sft", loss_weights: "1" }),
          says: ["Cannot combine losses: each of loss_type needs one of loss_weights", ""],
        },
        {
          args: typed({ ...flags, loss_type: "aot_pair", use_weighting: "true", dry_run: "true" }),
          says: "Cannot compute loss: use_weighting does not go with loss_type aot_unpaired: it " +
            "sorts answers, after which a weight has no pair",
        },
        {
          args: typed({ ...flags, target_modules: "query" }),
          says: ["Cannot make an adapter: target modules must be", `found "query"`],
        },
        {
          args: typed({ ...flags, learning_rate: "fast" }),
          says: `--learning_rate must be a number of at least 0, found "fast"`,
          code: 2,
        },
      ];
    case "train_sft":
      return [
        {
          args: typed({ ...flags, val_file: bad, skip_invalid: "true" }),
          says: [`Cannot use "${bad}": wanted at least one example, all 2 rows are invalid: `, ""],
        },
        {
          args: typed({ ...flags, train_file: at("triplets.jsonl") }),
          says: [`Cannot use "${at("triplets.jsonl")}": `, 'chosen imitates their "chosen"'],
        },
        { args: [], says: ["--model_path is missing: ", ""], code: 2 },
      ];
    case "score":
      return [
        {
          args: typed({ ...flags, max_length: "2", skip_invalid: "true" }),
          says: [
            `Cannot score "${
              at("triplets.jsonl")
            }": no row is left: all 5 were left out, the first`,
            "Raise --max_length",
          ],
        },
        {
          args: typed({ ...flags, adapter_path: at("model") }),
          says: `Cannot load the adapter "${
            at("model")
          }": it is a whole model; name it with --model_path`,
        },
        {
          args: [`--file=${at("triplets.jsonl")}`],
          says: ["Cannot load a model: wanted a model path (--model_path)", "found neither"],
        },
        {
          args: typed({ ...flags, output: at("model") }),
          says: `Cannot write "${at("model")}": it is a folder, wanted a file`,
        },
      ];
    default:
      return [
        {
          args: [`--model_path=${at("model")}`, "--prompt="],
          says: "--prompt needs a value: text",
          code: 2,
        },
        {
          args: typed({ ...flags, file: bad }),
          says: [
            `Cannot parse example at "${bad}" line 2: "prompt" must be a non-empty string, found `,
            "pass --skip_invalid to leave it out",
          ],
        },
        {
          args: [`--model_path=${at("model")}`],
          says: "Cannot tell what to continue: wanted one of --prompt and --file",
          code: 2,
        },
        {
          args: [`--model_path=${at("model")}`, "--prompt=note", "--chat"],
          says: [`Cannot lay out messages: the tokenizer of "${at("model")}`, "has no template"],
        },
      ];
  }
}

/** All files below a folder, with their sizes. */
function filesIn(folder: string): string[] {
  return Array.from(Deno.readDirSync(folder)).flatMap(({ name, isDirectory }) => {
    const path = join(folder, name);
    return isDirectory ? [path, ...filesIn(path)] : [`${path} ${Deno.statSync(path).size}`];
  }).sort();
}

for (const script of Object.keys(scripts)) {
  Deno.test(`${script} ends bad input in one sentence and leaves nothing behind`, async () => {
    using place = await tinyWorkplace();
    const cases = [...await commonCases(place, script), ...await ownCases(place, script)];
    const before = filesIn(place.root);
    for (let start = 0; start < cases.length; start += 4) {
      await Promise.all(cases.slice(start, start + 4).map((one) => check(script, one)));
    }
    const after = filesIn(place.root).filter((path) => !before.includes(path));
    assertEquals(after.filter((path) => path !== place.at("out")), []);
  });
}

async function check(script: string, { args, says, code = 1, first }: Case): Promise<void> {
  const ended = await runScript(script, args);
  const last = ended.stderr.trimEnd().split("\n").at(-1)!;
  const [start, end] = typeof says === "string" ? [says, says] : says;
  const told = `${script} ${args.join(" ")}\n${ended.stderr}`;
  assertEquals([ended.code, ended.stdout], [code, ""], told);
  assert(last.startsWith(start) && last.endsWith(end), `wanted ${start} ... ${end}, found ${told}`);
  assert(!first || ended.stderr === `${last}\n`, told);
  assert(!ended.stderr.includes("    at ") && !ended.stderr.includes("Unexpected"), told);
}
