import { dirname, resolve } from "node:path";
import config from "../../deno.json" with { type: "json" };
import { UsageError, UserError } from "../../lib/errors.ts";
import { commandOf } from "./help_text.ts";

/** What a failed script prints and exits with. */
export type Explanation = { message: string; exitCode: 1 | 2 };

/** Options of {@link explainError}. */
export type ExplainErrorOptions = { name: string; args: string[] };

/** Says in words why a script ended, and what would mend it where that is known. */
export function explainError(error: unknown, options: ExplainErrorOptions): Explanation {
  const denied = causes(error).find((cause) => cause instanceof Deno.errors.NotCapable);
  if (denied) return { message: explainDenied(denied.message, options), exitCode: 1 };
  if (error instanceof UsageError) return { message: error.message, exitCode: 2 };
  if (error instanceof UserError) return { message: error.message, exitCode: 1 };
  const full = causes(error).find((cause) => (cause as { code?: string }).code === "ENOSPC");
  if (full) {
    const message =
      `Cannot go on: the disk is full (${full.message}); free some space and run the ` +
      "same command again";
    return { message, exitCode: 1 };
  }
  if (causes(error).some(({ message }) => outOfMemory.test(message))) {
    const message = "Cannot go on: memory ran out; run again with a smaller --batch_size, 2 or 1 " +
      "(in training, more --gradient_accumulation_steps make up for it, and " +
      "--gradient_checkpointing saves more)";
    return { message, exitCode: 1 };
  }
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return { message: `Unexpected error: ${text} (--debug shows where it arose)`, exitCode: 1 };
}

/** What TensorFlow, WebAssembly, WebGPU and JavaScript say when no memory is left. */
const outOfMemory =
  /\bOOM\b|out of memory|bad_alloc|memory access out of bounds|allocat\w+ (failed|memory)/i;

/** An error, what caused it, what caused that. */
function causes(error: unknown): Error[] {
  return error instanceof Error ? [error, ...causes(error.cause)] : [];
}

const verbs: Record<string, string> = {
  read: "read",
  write: "write",
  net: "connect to",
  env: "read the environment variable",
  run: "run",
  ffi: "load",
  sys: "ask the system for",
};

/** Turns Deno's "Requires read access to "/x", run again with ..." into the command that may. */
function explainDenied(denial: string, { name, args }: ExplainErrorOptions): string {
  const [, kind = "all", target = ""] =
    denial.match(/^Requires (\w+) access(?: to "?(.*?)"?)?,/s) ??
      [];
  const wanted = kind === "read" || kind === "write"
    ? folderToGrant(target, { kind, args })
    : target;
  const kinds = kindsToGrant(name, { kind, wanted, args });
  const grants = kinds.map((kind) => quote(grantFlag(name, kind, wanted))).join(" ");
  const command = [commandOf(name, grants), ...args.map(quote)].join(" ");
  return `Cannot ${verbs[kind] ?? "use"} ${target ? `"${target}"` : "that"}: the permission set ` +
    `"${name}" does not cover it; if it should, run\n  ${command}`;
}

/**
 * A file is written beside its place and looked at before it is renamed, so that an output needs
 * both kinds, whichever is missed first; what the set grants already is not asked for again.
 */
function kindsToGrant(
  name: string,
  { kind, wanted, args }: { kind: string; wanted: string; args: string[] },
): string[] {
  const isOutput = args.some((arg, i) => {
    const [flag, path = args[i + 1] ?? ""] = arg.match(/^--output(?:_dir)?(?:=(.*))?$/s) ?? [];
    return flag && path !== "" && (isUnder(path, wanted) || isUnder(wanted, path));
  });
  if (kind !== "write" && !(kind === "read" && isOutput)) return [kind];
  return ["read", "write"].filter((one) => one === kind || !covers(grantedBy(name, one), wanted));
}

/** The flag that grants `wanted` beside what the set grants of this kind. */
function grantFlag(name: string, kind: string, wanted: string): string {
  const grants = grantedBy(name, kind);
  return `--allow-${kind}` +
    (wanted === "" || grants === true ? "" : `=${[...grants, wanted].join(",")}`);
}

/** The path that the user named and `path` lies under, else the path, or its folder for writing. */
function folderToGrant(path: string, { kind, args }: { kind: string; args: string[] }): string {
  const named = args.map((arg) => arg.replace(/^--\w+=/, "")).filter((arg) => arg !== "");
  const above = named.find((arg) => isUnder(path, arg));
  if (above !== undefined || kind !== "write") return above ?? path;
  const isFolderOfNamed = named.some((arg) => isUnder(arg, path));
  return isFolderOfNamed ? path : dirname(path);
}

function isUnder(path: string, folder: string): boolean {
  return `${resolve(path)}/`.startsWith(`${resolve(folder)}/`);
}

function covers(grants: true | string[], path: string): boolean {
  return grants === true || grants.some((grant) => isUnder(path, grant));
}

type Grant = boolean | string[] | { allow?: boolean | string[] };

/** What a script's permission set grants of a kind. */
function grantedBy(name: string, kind: string): true | string[] {
  const sets = config.permissions as Record<string, Record<string, Grant> | undefined>;
  const grant = sets[name]?.[kind] ?? [];
  const allowed = typeof grant === "object" && !Array.isArray(grant) ? grant.allow ?? [] : grant;
  return allowed === true ? true : allowed || [];
}

/** A word as a shell takes it. */
function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
