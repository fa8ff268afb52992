import * as tf from "@tensorflow/tfjs";
import { layerNormApply, layerNormBackward, layerNormForward } from "../layers/layer_norm.ts";
import { rmsNormApply, rmsNormBackward, rmsNormForward } from "../layers/rms_norm.ts";
import { familyOf } from "./families.ts";
import { type Gradients, type Network, weightOf } from "./network.ts";

/** What a norm's backward needs beside its input; `mean` of layer norm alone. */
export type NormSaved = { rstd: tf.Tensor2D; mean?: tf.Tensor2D };

type NormBackwardOptions = { weights: boolean; residual?: tf.Tensor2D };

/** The norm of a module's name, of the kind that the family has; `x` is `[N, D]`. */
export function normOf(network: Network, module: string) {
  const { config } = network, { normKind } = familyOf(config), epsilon = config.normEpsilon;
  const stored = weightOf<tf.Tensor1D>(network, `${module}.weight`);
  const bias = weightOf<tf.Tensor1D>(network, `${module}.bias`);
  const weight = () => normKind === "rms_plus_one" ? tf.add<tf.Tensor1D>(stored, 1) : stored;
  const isLayer = normKind === "layer";
  return {
    forward(x: tf.Tensor2D): { y: tf.Tensor2D; saved: NormSaved } {
      if (isLayer) return layerNormForward(x, stored, bias, epsilon);
      const { y, rstd } = rmsNormForward(x, weight(), epsilon);
      return { y, saved: { rstd } };
    },
    /** The result again, out of what was saved of it. */
    again(x: tf.Tensor2D, { rstd, mean }: NormSaved): tf.Tensor2D {
      if (isLayer) return layerNormApply(x, { rstd, mean: mean! }, stored, bias);
      return rmsNormApply(x, rstd, weight());
    },
    backward(
      dy: tf.Tensor2D,
      x: tf.Tensor2D,
      { rstd, mean }: NormSaved,
      options: NormBackwardOptions,
    ): { dx: tf.Tensor2D; gradients: Gradients } {
      const { dx, dweight, dbias } = isLayer
        ? layerNormBackward(dy, x, { rstd, mean: mean! }, stored, options)
        : { dbias: undefined, ...rmsNormBackward(dy, x, rstd, weight(), options) };
      const gradients: Gradients = {
        ...(dweight && { [`${module}.weight`]: dweight }),
        ...(dbias && { [`${module}.bias`]: dbias }),
      };
      return { dx, gradients };
    },
  };
}
