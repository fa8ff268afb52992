import { basename, dirname, join, resolve } from "node:path";
import config from "../../deno.json" with { type: "json" };
import { commandOf } from "./help_text.ts";
import { askDeno, isInProject, isMisplaced, project } from "./place.ts";
import { quote } from "./quote.ts";

const verbs: Record<string, string> = {
  read: "read",
  write: "write",
  net: "connect to",
  env: "read the environment variable",
  run: "run",
  ffi: "load",
  sys: "ask the system for",
};

/** A script's name and what was typed after it; what this process may do, as Deno knows it. */
export type ExplainDeniedOptions = {
  name: string;
  args: string[];
  /** Flags whose values are paths: "--file". */
  pathFlags: string[];
  isGranted?: (kind: string, target?: string) => boolean;
};

/**
 * Turns Deno's "Requires read access to "/x", run again with ..." into a sentence with the command
 * that may: with the script's permission set where that is missing, else with what goes beyond it.
 */
export function explainDenied(
  denial: string,
  { name, args, pathFlags, isGranted = askDeno }: ExplainDeniedOptions,
): string {
  const [, kind = "all", found = ""] = denial.match(/^Requires (\w+) access(?: to "?(.*?)"?)?,/s) ??
    [];
  const target = withoutTemporary(found), values = namedValues(args, pathFlags);
  const output = values.find(({ flag, value }) =>
    flag === "--output" && [value, dirname(value)].map((path) => resolve(path))
      .includes(resolve(target || "."))
  );
  const shown = output?.value ?? target;
  const cannot = `Cannot ${verbs[kind] ?? "use"} ${shown ? `"${shown}"` : "that"}`;
  if (isMisplaced()) {
    return `${cannot}: dpo-kit's scripts are run from its folder: cd '${project}'`;
  }
  if (!isInProject()) {
    return `${cannot}: dpo-kit COMMAND touches only what lies below the folder where it is ` +
      "started; start it in one that holds all of it";
  }
  const place = output && dirname(resolve(output.value));
  if (place !== undefined && (place === resolve(project) || place === "/")) {
    const [folder = "./models"] = [grantedBy(name, "write")].flat();
    return `${cannot}: a grant for it would be one for all that lies there; name a file in a folder ` +
      `that this script may write, say ${join(String(folder), basename(output!.value))}`;
  }
  const command = (grants: string) => [commandOf(name, grants), ...args.map(quote)].join(" ");
  if (!hasOwnSet(name, isGranted)) {
    return `${cannot}: this script was started without its permissions (-P=${name}); run\n` +
      `  ${command("")}`;
  }
  return `${cannot}: the permission set "${name}" does not cover it; if it should, run\n` +
    `  ${command(grantFlags(name, { kind, target, values, isGranted }))}`;
}

/** What the user knows a file as that is written beside its place and then renamed. */
function withoutTemporary(path: string): string {
  return path.replace(/[/\\]writable\.\d+\.tmp$/, "").replace(/\.\d+-\d+\.(tmp|old)$/, "");
}

/** Whether this process was started with the script's set: something that it grants is granted. */
function hasOwnSet(name: string, isGranted: Denied["isGranted"]): boolean {
  return ["read", "write", "env", "run", "ffi"].some((kind) => {
    const grants = grantedBy(name, kind);
    if (grants === true) return isGranted(kind);
    return grants.length > 0 && isGranted(kind, grants[0]);
  });
}

type NamedValue = { flag: string; value: string };
type Denied = {
  kind: string;
  target: string;
  values: NamedValue[];
  isGranted: (kind: string, target?: string) => boolean;
};

/** The flags that grant, beside what the set grants, what was denied and what else this run needs. */
function grantFlags(name: string, denied: Denied): string {
  const kinds = ["read", "write", denied.kind].filter((kind, i, all) => all.indexOf(kind) === i);
  return kinds.map((kind) => {
    const wanted = wantedOf(kind, denied), grants = grantedBy(name, kind);
    if (kind === denied.kind && (denied.target === "" || grants === true)) return `--allow-${kind}`;
    const beyond = wanted.filter((path) => !covers(grants, path));
    if (grants === true || (beyond.length === 0 && kind !== denied.kind)) return "";
    return quote(`--allow-${kind}=${[...new Set([...grants, ...beyond])].join(",")}`);
  }).filter((flag) => flag !== "").join(" ");
}

/**
 * What a kind has to cover beside the set: what was denied; every path that was named, for it will be
 * read; outputs, which are written beside their place and looked at before they are renamed; and what
 * the user granted already, for a flag that is named again replaces the one before.
 */
function wantedOf(kind: string, denied: Denied): string[] {
  const { kind: deniedKind, target, values, isGranted } = denied;
  const wanted = kind === deniedKind ? [folderToGrant(target, { kind, values })] : [];
  if (kind !== "read" && kind !== "write") return wanted;
  const inputs = kind === "read" ? values.map(({ value }) => value) : [];
  const outputs = values.filter(({ flag }) => /^--output(_dir)?$/.test(flag))
    .map(({ flag, value }) => flag === "--output" ? dirname(value) : value);
  const granted = values.map(({ value }) => value).filter((value) => isGranted(kind, value));
  return outermost([...wanted, ...outputs, ...inputs, ...granted].map(withoutComma));
}

/** A list of paths is parted by commas, and none can be written as part of one. */
function withoutComma(path: string): string {
  return path.includes(",") ? withoutComma(dirname(path)) : path;
}

/** Paths without those that lie under another of them. */
function outermost(paths: string[]): string[] {
  const unique = [...new Map(paths.map((path) => [resolve(path), path])).values()];
  return unique.filter((path) => !unique.some((other) => other !== path && isUnder(path, other)));
}

/** The paths that the user typed, with their flags. */
function namedValues(args: string[], pathFlags: string[]): NamedValue[] {
  return args.flatMap((arg, i) => {
    const [, flag, joined] = arg.match(/^(--\w+)(?:=(.*))?$/s) ?? [];
    const value = joined ?? args[i + 1] ?? "";
    const isNone = !pathFlags.includes(flag) || value === "" || (!joined && value.startsWith("--"));
    return isNone ? [] : [{ flag, value }];
  });
}

/** The path that the user named and `path` lies under, else the path, or its folder for writing. */
function folderToGrant(
  path: string,
  { kind, values }: { kind: string; values: NamedValue[] },
): string {
  if (kind !== "read" && kind !== "write") return path;
  const named = values.map(({ value }) => value);
  const above = named.find((one) => isUnder(path, one));
  if (above !== undefined || kind !== "write") return above ?? path;
  const isFolderOfNamed = named.some((one) => isUnder(one, path));
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
