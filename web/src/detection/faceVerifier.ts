import * as tf from "@tensorflow/tfjs-core";
import { GREY_CROP_PX } from "./greyCrop";
import { readSafetensors, type StoredTensor } from "./safetensors";

/** Strides of the 3 × 3 convolutions; 2 halves the maps' sides. */
const STRIDES = [1, 2, 1, 2, 1, 2, 1] as const;

/** Added to the standard deviation of a crop's pixels, in levels of 255, so that flat crops stay flat. */
const LEAST_DEVIATION = 4;

interface Convolution {
  /** (3, 3, in, out) */
  readonly kernel: tf.Tensor4D;
  readonly bias: tf.Tensor1D;
  readonly stride: number;
}

/**
 * The project's own small network that decides whether a crop shows a face, even one under a headset or a mask: the
 * same as server/detection/verifier.py, from the same weights, on the current backend of TensorFlow.js.
 */
export class FaceVerifier {
  readonly #convolutions: readonly Convolution[];
  /** (2 × channels, outputs) */
  readonly #head: tf.Tensor2D;
  readonly #headBias: tf.Tensor1D;

  /** @throws RangeError where the file of weights is another network's */
  constructor(weights: ArrayBuffer) {
    const tensors = readSafetensors(weights);
    const stored = (name: string): StoredTensor => {
      const tensor = tensors.get(name);
      if (tensor === undefined) throw new RangeError(`the verifier's weights lack ${name}`);
      return tensor;
    };
    this.#convolutions = STRIDES.map((stride, index) => ({
      kernel: tf.tidy(() =>
        tf.transpose(tensorOf<tf.Rank.R4>(stored(`convolutions.${index}.weight`)), [2, 3, 1, 0]),
      ),
      bias: tensorOf<tf.Rank.R1>(stored(`convolutions.${index}.bias`)),
      stride,
    }));
    this.#head = tf.tidy(() => tf.transpose(tensorOf<tf.Rank.R2>(stored("head.weight"))));
    this.#headBias = tensorOf<tf.Rank.R1>(stored("head.bias"));
  }

  /**
   * The probability that each crop shows a face: all but the first output's, which means that it shows none.
   *
   * @param crops (48, 48) each, as of `greyCrop`
   */
  async probabilities(crops: readonly Float32Array[]): Promise<readonly number[]> {
    const output = tf.tidy(() => {
      let maps: tf.Tensor4D = tf.tensor4d(joinedCrops(crops), [crops.length, GREY_CROP_PX, GREY_CROP_PX, 1]);
      for (const { kernel, bias, stride } of this.#convolutions)
        maps = tf.relu(tf.add(tf.conv2d(maps, kernel, stride, 1), bias));
      const pooled = tf.concat2d([tf.mean(maps, [1, 2]), tf.max(maps, [1, 2])], 1);
      return tf.softmax(tf.add(tf.matMul(pooled, this.#head), this.#headBias));
    });
    try {
      const values = await output.data();
      const outputs = values.length / crops.length;
      return crops.map((_, index) => 1 - (values[index * outputs] ?? Number.NaN));
    } finally {
      output.dispose();
    }
  }

  dispose(): void {
    tf.dispose([
      this.#head,
      this.#headBias,
      ...this.#convolutions.flatMap(({ kernel, bias }) => [kernel, bias]),
    ]);
  }
}

function tensorOf<R extends tf.Rank>({ shape, values }: StoredTensor): tf.Tensor<R> {
  return tf.tensor(values, [...shape] as tf.ShapeMap[R]);
}

/** The crops one after another, each with a mean of 0 and a standard deviation of nearly 1. */
function joinedCrops(crops: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(crops.length * GREY_CROP_PX ** 2);
  crops.forEach((crop, index) => {
    const mean = crop.reduce((sum, level) => sum + level, 0) / crop.length;
    // The unbiased deviation, as PyTorch computes it in training.
    const variance = crop.reduce((sum, level) => sum + (level - mean) ** 2, 0) / (crop.length - 1);
    const deviation = Math.sqrt(variance) + LEAST_DEVIATION;
    all.set(
      crop.map((level) => (level - mean) / deviation),
      index * crop.length,
    );
  });
  return all;
}
