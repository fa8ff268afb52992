import { UserError } from "../errors.ts";
import type { FloatType } from "./half.ts";

/** A tensor as a pickle describes it: a strided view of a storage, counted in numbers. */
export type PickledTensor = {
  storage: string;
  type: FloatType;
  storageSize: number;
  offset: number;
  shape: number[];
  strides: number[];
};

type Storage = { kind: "storage"; key: string; type: FloatType; size: number };
type Tensor = { kind: "tensor" } & PickledTensor;
type Global = { kind: "global"; name: string };
/** Dicts are Maps, tuples and lists are arrays. */
type Value =
  | null
  | boolean
  | number
  | string
  | Value[]
  | Map<string, Value>
  | Storage
  | Tensor
  | Global;

const MAX_DIMENSIONS = 16;
const STOP = ".".charCodeAt(0);

const storageTypes: Record<string, FloatType> = {
  "torch.FloatStorage": "F32",
  "torch.HalfStorage": "F16",
  "torch.BFloat16Storage": "BF16",
};
/** The names that a file of tensors needs. Nothing is looked up or called: each is handled here. */
const callables: Record<string, (args: Value[]) => Value | undefined> = {
  "collections.OrderedDict": (args) => args.length === 0 ? new Map() : undefined,
  "torch._utils._rebuild_tensor_v2": rebuildTensor,
  "torch._utils._rebuild_parameter": ([tensor]) => kindOf(tensor, "tensor"),
};

/**
 * Reads a pickled dict of tensors without executing anything: a stack machine that knows only the
 * opcodes and names which `torch.save` needs for such a dict, and refuses every other.
 *
 * **Source**: CPython's `Lib/pickletools.py`, protocol 2; PyTorch's `torch/_weights_only_unpickler.py`.
 *
 * @param path The file, for messages.
 * @throws {UserError} Where the pickle asks for anything else, or is damaged.
 */
export function readTensorPickle(
  pickle: Uint8Array,
  { path }: { path: string },
): Map<string, PickledTensor> {
  const machine = createMachine(pickle, path);
  for (;;) {
    const opcode = machine.byte();
    if (opcode === STOP) break;
    const run = Object.hasOwn(opcodes, opcode) ? opcodes[opcode] : undefined;
    if (!run) {
      const hex = opcode.toString(16).padStart(2, "0");
      throw machine.fail(`it uses pickle opcode 0x${hex}, which a dict of tensors has no need of`);
    }
    run(machine);
  }
  const result = machine.pop();
  if (!(result instanceof Map)) throw machine.fail("it must hold a dict of tensors");
  for (const [name, value] of result) {
    if (kindOf(value, "tensor")) continue;
    throw machine.fail(`it must hold a dict of tensors, but "${name}" is not a tensor`);
  }
  return result as Map<string, Tensor>;
}

type Machine = ReturnType<typeof createMachine>;

function createMachine(pickle: Uint8Array, path: string) {
  const view = new DataView(pickle.buffer, pickle.byteOffset, pickle.byteLength);
  const stack: Value[] = [];
  const marks: number[] = [];
  let position = 0;
  const fail = (reason: string) => new UserError(`Cannot read "${path}": ${reason}`, { path });
  const damaged = () => fail(`its pickle is damaged at byte ${position}`);
  const take = (length: number) => {
    if (length > pickle.length - position) throw damaged();
    position += length;
    return position - length;
  };
  const text = (length: number) => {
    const at = take(length);
    try {
      const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
      return decoder.decode(pickle.subarray(at, at + length));
    } catch {
      throw damaged();
    }
  };
  const pop = (): Value => {
    if (stack.length <= (marks.at(-1) ?? 0)) throw damaged();
    return stack.pop()!;
  };
  return {
    fail,
    damaged,
    text,
    memo: new Map<number, Value>(),
    byte: () => pickle[take(1)],
    u16: () => view.getUint16(take(2), true),
    u32: () => view.getUint32(take(4), true),
    i32: () => view.getInt32(take(4), true),
    f64: () => view.getFloat64(take(8)),
    line: () => {
      const end = pickle.indexOf(0x0a, position);
      if (end < 0) throw damaged();
      const line = text(end - position);
      position++;
      return line;
    },
    push: (value: Value) => void stack.push(value),
    pop,
    top: (): Value => {
      const value = pop();
      stack.push(value);
      return value;
    },
    mark: () => void marks.push(stack.length),
    /** Takes everything that was pushed since the last mark. */
    popMark: (): Value[] => {
      const start = marks.pop();
      if (start === undefined) throw damaged();
      return stack.splice(start);
    },
  };
}

const opcodes: Record<number, (machine: Machine) => void> = Object.fromEntries(
  Object.entries<(machine: Machine) => void>({
    "\x80": (m) => {
      if (m.byte() > 5) throw m.damaged();
    },
    "}": (m) => m.push(new Map()),
    "]": (m) => m.push([]),
    ")": (m) => m.push([]),
    "(": (m) => m.mark(),
    N: (m) => m.push(null),
    "\x88": (m) => m.push(true),
    "\x89": (m) => m.push(false),
    K: (m) => m.push(m.byte()),
    M: (m) => m.push(m.u16()),
    J: (m) => m.push(m.i32()),
    G: (m) => m.push(m.f64()),
    "\x8a": (m) => m.push(readLong(m)),
    X: (m) => m.push(m.text(m.u32())),
    c: (m) => m.push(readGlobal(m)),
    q: (m) => void m.memo.set(m.byte(), m.top()),
    r: (m) => void m.memo.set(m.u32(), m.top()),
    h: (m) => m.push(recall(m, m.byte())),
    j: (m) => m.push(recall(m, m.u32())),
    t: (m) => m.push(m.popMark()),
    "\x85": (m) => m.push([m.pop()]),
    "\x86": (m) => m.push([m.pop(), m.pop()].reverse()),
    "\x87": (m) => m.push([m.pop(), m.pop(), m.pop()].reverse()),
    a: (m) => append(m, [m.pop()]),
    e: (m) => append(m, m.popMark()),
    s: (m) => setItems(m, [m.pop(), m.pop()].reverse()),
    u: (m) => setItems(m, m.popMark()),
    Q: (m) => m.push(readStorage(m)),
    R: (m) => m.push(call(m)),
    // The state of an OrderedDict: module versions that state_dict() adds, not needed here.
    b: (m) => {
      m.pop();
      if (!(m.top() instanceof Map)) throw m.damaged();
    },
  }).map(([character, run]) => [character.charCodeAt(0), run]),
);

function readLong(m: Machine): number {
  const length = m.byte();
  if (length > 6) throw m.damaged();
  let value = 0;
  for (let i = 0; i < length; i++) {
    const byte = m.byte();
    value += (i === length - 1 && byte > 127 ? byte - 256 : byte) * 2 ** (8 * i);
  }
  return value;
}

function readGlobal(m: Machine): Global {
  const name = `${m.line()}.${m.line()}`;
  if (Object.hasOwn(callables, name) || Object.hasOwn(storageTypes, name)) {
    return { kind: "global", name };
  }
  const reason = name.startsWith("torch.") && name.endsWith("Storage")
    ? `it holds numbers of type ${name}, wanted ${Object.keys(storageTypes).join(", ")}`
    : `it would make a program run ${JSON.stringify(name)}, which a dict of tensors has no need of`;
  throw m.fail(reason);
}

function recall(m: Machine, index: number): Value {
  const value = m.memo.get(index);
  if (value === undefined) throw m.damaged();
  return value;
}

function append(m: Machine, items: Value[]): void {
  const list = m.top();
  if (!Array.isArray(list)) throw m.damaged();
  for (const item of items) list.push(item);
}

function setItems(m: Machine, items: Value[]): void {
  const dict = m.top();
  if (!(dict instanceof Map) || items.length % 2 !== 0) throw m.damaged();
  for (let i = 0; i < items.length; i += 2) {
    const key = items[i];
    if (typeof key !== "string") throw m.fail("its dict must have names as keys");
    dict.set(key, items[i + 1]);
  }
}

/** `("storage", torch.FloatStorage, "0", "cpu", numel)`. */
function readStorage(m: Machine): Storage {
  const id = m.pop();
  const [tag, type, key, , size] = Array.isArray(id) ? id : [];
  const name = kindOf(type, "global")?.name ?? "";
  if (tag !== "storage" || !Object.hasOwn(storageTypes, name)) throw m.damaged();
  if (typeof key !== "string" || !isCount(size)) throw m.damaged();
  return { kind: "storage", key, type: storageTypes[name], size };
}

function call(m: Machine): Value {
  const [args, callable] = [m.pop(), m.pop()];
  const name = kindOf(callable, "global")?.name ?? "";
  if (!Object.hasOwn(callables, name) || !Array.isArray(args)) throw m.damaged();
  const result = callables[name](args);
  if (result === undefined) throw m.damaged();
  return result;
}

function rebuildTensor([source, offset, shape, strides]: Value[]): Tensor | undefined {
  const storage = kindOf(source, "storage");
  if (!storage || !isCount(offset) || !isCounts(shape) || !isCounts(strides)) return undefined;
  if (shape.length !== strides.length) return undefined;
  const { key, type, size: storageSize } = storage;
  return { kind: "tensor", storage: key, type, storageSize, offset, shape, strides };
}

function kindOf<Kind extends "storage" | "tensor" | "global">(
  value: Value | undefined,
  kind: Kind,
): Extract<Value, { kind: Kind }> | undefined {
  const isObject = typeof value === "object" && value !== null && "kind" in value;
  return isObject && value.kind === kind ? value as Extract<Value, { kind: Kind }> : undefined;
}

function isCount(value: Value | undefined): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isCounts(value: Value | undefined): value is number[] {
  return Array.isArray(value) && value.length <= MAX_DIMENSIONS && value.every(isCount);
}
