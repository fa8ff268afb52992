const REQUIREMENTS = new URL("../tests/clients/requirements.txt", import.meta.url).pathname;
const VENV = new URL("../.venv", import.meta.url).pathname;

/**
 * A Python that has torch, transformers, PEFT and TRL: the one that DPO_KIT_PYTHON names, else that
 * of `.venv`, which is made on the first call (about 6 GB, minutes).
 */
export async function clientPython(): Promise<string> {
  const named = Deno.env.get("DPO_KIT_PYTHON");
  if (named) return named;
  const python = `${VENV}/bin/python`;
  const works = await run(python, ["-c", "import torch, trl, peft, pytest"]).catch(() => false);
  if (works) return python;
  console.error("Installing torch, transformers, PEFT and TRL into .venv (about 6 GB) ...");
  const made = await run("python3", ["-m", "venv", VENV]) &&
    await run(python, ["-m", "pip", "install", "-q", "-r", REQUIREMENTS]);
  if (!made) throw new Error("Could not make .venv: it needs python3 with venv, and PyPI");
  return python;
}

async function run(command: string, args: string[]): Promise<boolean> {
  const options = { args, stdout: "null", stderr: "inherit" } as const;
  return (await new Deno.Command(command, options).output()).success;
}
