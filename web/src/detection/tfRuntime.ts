import { type GraphModel, loadGraphModel } from "@tensorflow/tfjs-converter";
import * as tf from "@tensorflow/tfjs-core";
import type { BackendName } from "./backends";
import type { Detection } from "./box";
import { blendOverlapping, decodeAnchors, INPUT_SIZE_PX, OFFSETS_PER_ANCHOR } from "./decode";
import { loadBackend, type WasmUrls } from "./tfBackend";

/** Faces below this score, in (0, 1), are not reported. Low, since the tracker asks more of a new face. */
const MIN_SCORE = 0.4;

/** Boxes that overlap by this much or more, as intersection over union, are one face. */
const SAME_FACE_IOU = 0.3;

/** Where the detector's files lie; absolute addresses, since a worker resolves relative ones against its own. */
export interface DetectorAssets {
  readonly modelUrl: string;
  readonly weightsUrl: string;
  readonly wasmUrls: WasmUrls;
}

export interface RuntimeOptions {
  readonly backend: BackendName;
  readonly assets: DetectorAssets;
  /** Whether to take a backend for graphics hardware also where there is none. */
  readonly evenInSoftware: boolean;
}

/**
 * BlazeFace on one backend of TensorFlow.js.
 *
 * The model comes from the Human library's package, but is run here directly: Human stretches the frame to a
 * square, enlarges and squares the box and rounds it to pixels, whereas the crop is defined on the detector's own box.
 */
export class TfRuntime {
  readonly #backend: BackendName;
  readonly #assets: DetectorAssets;
  readonly #evenInSoftware: boolean;
  #model: GraphModel | null = null;
  #isLost: () => boolean = () => false;

  constructor({ backend, assets, evenInSoftware }: RuntimeOptions) {
    this.#backend = backend;
    this.#assets = assets;
    this.#evenInSoftware = evenInSoftware;
  }

  /** @throws Error where the browser lacks the backend, or the model's files cannot be had */
  async load(): Promise<void> {
    this.#isLost = await loadBackend(this.#backend, this.#assets.wasmUrls, this.#evenInSoftware);
    this.#model = await loadGraphModel(this.#assets.modelUrl, {
      // The graph names its one file of weights as the package does, and not with the hash.
      weightUrlConverter: async () => this.#assets.weightsUrl,
    });
  }

  /**
   * @param input (256, 256, 3) RGB in [−1, 1]
   * @returns faces in input pixels, best first
   * @throws Error where the backend has broken down
   */
  async detect(input: Float32Array): Promise<Detection[]> {
    if (this.#model === null) throw new Error("the model is not loaded");
    if (this.#isLost()) throw new Error("the graphics device was lost");
    // On the main thread two runtimes can share one TensorFlow.js, whose current backend is global.
    if (tf.getBackend() !== this.#backend) await tf.setBackend(this.#backend);
    const { logits, offsets } = await run(this.#model, input);
    return blendOverlapping(decodeAnchors(logits, offsets, MIN_SCORE), SAME_FACE_IOU);
  }

  dispose(): void {
    this.#model?.dispose();
    this.#model = null;
  }
}

interface RawOutputs {
  /** (896,) */
  readonly logits: Float32Array;
  /** (896 × 16,), one anchor after the other */
  readonly offsets: Float32Array;
}

async function run(model: GraphModel, input: Float32Array): Promise<RawOutputs> {
  const [logitsTensor, offsetsTensor] = tf.tidy(() => {
    const image = tf.tensor4d(input, [1, INPUT_SIZE_PX, INPUT_SIZE_PX, 3]);
    const outputs = model.execute(image);
    if (!Array.isArray(outputs)) throw new Error("the model is not the expected BlazeFace");
    return [joinGrids(outputs, 1), joinGrids(outputs, OFFSETS_PER_ANCHOR)] as const;
  });
  try {
    const [logits, offsets] = await Promise.all([logitsTensor.data(), offsetsTensor.data()]);
    return { logits: Float32Array.from(logits), offsets: Float32Array.from(offsets) };
  } finally {
    tf.dispose([logitsTensor, offsetsTensor]);
  }
}

/**
 * The converted graph has an output per grid, (1, 512, n) and (1, 384, n), in no promised order.
 * Joined here, the fine grid first, to (896 × n,).
 */
function joinGrids(outputs: readonly tf.Tensor[], valuesPerAnchor: number): tf.Tensor1D {
  const grids = outputs
    .filter((output) => output.shape[2] === valuesPerAnchor)
    .sort((a, b) => b.size - a.size)
    .map((output) => tf.reshape<tf.Rank.R1>(output, [output.size]));
  return tf.concat1d(grids);
}
