import { join } from "node:path";
import { assertEquals } from "../../lib/std.ts";
import { checkOutput } from "../../lib/train/check_output.ts";
import { userError } from "../io/damage.ts";

Deno.test("checkOutput() refuses to write over what the run reads, by whatever name", async () => {
  const folder = await Deno.makeTempDir(), at = (name: string) => join(folder, name);
  for (const name of ["final_model", "checkpoint_step_12", "checkpoint_epoch_1/deeper", "other"]) {
    await Deno.mkdir(at(name), { recursive: true });
  }
  const link = join(await Deno.makeTempDir(), "link");
  await Deno.symlink(at("final_model"), link);
  for (const path of [at("final_model"), `${folder}//./final_model/`, link]) {
    const { message } = await userError(checkOutput(folder, ["elsewhere", path]));
    assertEquals(
      message,
      `Cannot train into "${folder}": this run reads "${path}", and would write over ` +
        `"${at("final_model")}"; name another --output_dir`,
    );
  }
  for (const name of ["checkpoint_step_12", "checkpoint_epoch_1/deeper"]) {
    await userError(checkOutput(folder, [at(name)]));
  }
  await checkOutput(folder, [at("other"), folder, at("final_model_2"), "no/such"]);
});
