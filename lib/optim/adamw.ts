/** What AdamW remembers between steps; plain numbers and arrays, so that a checkpoint can hold it. */
export type AdamWState = {
  /** Updates made so far. */
  step: number;
  /** Running means of gradients, one array a parameter. */
  firstMoments: Float32Array[];
  /** Running means of squared gradients. */
  secondMoments: Float32Array[];
};

/** Options of {@link updateAdamW}. */
export type UpdateAdamWOptions = {
  learningRate: number;
  /** Decay of the first moments, 0.9 unless given. */
  beta1?: number;
  /** Decay of the second moments, 0.999 unless given. */
  beta2?: number;
  /** Keeps the division finite, 1e-8 unless given. */
  epsilon?: number;
  /** Share of itself that a parameter loses a step, times the learning rate; 0 unless given. */
  weightDecay?: number;
};

/** Makes the state of AdamW before its first step: zero moments of the parameters' sizes. */
export function initAdamW(parameters: readonly Float32Array[]): AdamWState {
  const zeros = () => parameters.map(({ length }) => new Float32Array(length));
  return { step: 0, firstMoments: zeros(), secondMoments: zeros() };
}

/**
 * Makes one step of Adam with decoupled weight decay.
 *
 * With gradient g and step t: `m = beta1 m + (1 - beta1) g`, `v = beta2 v + (1 - beta2) g^2`,
 * `p = p (1 - lr wd) - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)`.
 *
 * **Source**: arXiv 1711.05101, Algorithm 2, as `torch.optim.AdamW` has it (but weight decay is 0
 * unless given; PyTorch's own default is 0.01).
 * **Shapes and dtypes**: float32 storage, float64 arithmetic; one array a parameter, any length.
 * **Memory**: `parameters` and `state` are changed in place, nothing is allocated.
 *
 * @param parameters What is trained, changed in place.
 * @param gradients The loss's derivatives, in the same order and of the same lengths.
 * @param state What {@link initAdamW} made, changed in place.
 * @param options The learning rate and the method's constants.
 * @throws {RangeError} If gradients or moments don't fit the parameters.
 *
 * @example The first step moves each parameter by the learning rate against its gradient's sign.
 * ```ts
 * import assert from "node:assert/strict";
 * import { initAdamW, updateAdamW } from "./adamw.ts";
 * const parameters = [new Float32Array([1, 1])];
 * const state = initAdamW(parameters);
 * updateAdamW(parameters, [new Float32Array([1000, -0.001])], state, { learningRate: 0.25 });
 * assert.deepEqual([...parameters[0]].map((p) => p.toFixed(4)), ["0.7500", "1.2500"]);
 * assert.equal(state.step, 1);
 * ```
 */
export function updateAdamW(
  parameters: readonly Float32Array[],
  gradients: readonly Float32Array[],
  state: AdamWState,
  options: UpdateAdamWOptions,
): void {
  checkSizes(parameters, gradients, state);
  state.step++;
  parameters.forEach((parameter, i) => {
    const moments = [state.firstMoments[i], state.secondMoments[i]] as const;
    updateOne(parameter, gradients[i], moments, { ...options, step: state.step });
  });
}

function updateOne(
  parameter: Float32Array,
  gradient: Float32Array,
  [first, second]: readonly [Float32Array, Float32Array],
  options: UpdateAdamWOptions & { step: number },
): void {
  const { learningRate, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 } = options;
  const stepSize = learningRate / (1 - beta1 ** options.step);
  const secondScale = 1 / Math.sqrt(1 - beta2 ** options.step);
  const kept = 1 - learningRate * weightDecay;
  for (let i = 0; i < parameter.length; i++) {
    const g = gradient[i];
    const m = first[i] = first[i] + (1 - beta1) * (g - first[i]);
    const v = second[i] = beta2 * second[i] + (1 - beta2) * g * g;
    parameter[i] = parameter[i] * kept - stepSize * m / (Math.sqrt(v) * secondScale + epsilon);
  }
}

function checkSizes(
  parameters: readonly Float32Array[],
  gradients: readonly Float32Array[],
  state: AdamWState,
): void {
  const lists = { gradients, firstMoments: state.firstMoments, secondMoments: state.secondMoments };
  for (const [name, list] of Object.entries(lists)) {
    const fits = list.length === parameters.length &&
      parameters.every(({ length }, i) => list[i].length === length);
    if (fits) continue;
    const sizes = (arrays: readonly Float32Array[]) => arrays.map((a) => a.length).join(", ");
    throw new RangeError(
      `Cannot update parameters: ${name} must have lengths [${sizes(parameters)}], ` +
        `found [${sizes(list)}]`,
    );
  }
}
