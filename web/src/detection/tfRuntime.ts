import { type GraphModel, loadGraphModel } from "@tensorflow/tfjs-converter";
import * as tf from "@tensorflow/tfjs-core";
import type { BackendName } from "./backends";
import type { Detection } from "./box";
import { blendOverlapping, decodeAnchors, INPUT_SIZE_PX, OFFSETS_PER_ANCHOR } from "./decode";
import { FaceVerifier } from "./faceVerifier";
import { loadBackend, type WasmUrls } from "./tfBackend";

/** Boxes that overlap by this much or more, as intersection over union, are one face. */
const SAME_FACE_IOU = 0.3;

/** The verifier is loaded so many ms after it was first asked for: what a first visit needs comes before. */
const VERIFIER_DELAY_MS = 3000;

/** The verifier's file that could not be loaded is asked for again after so many ms. */
const VERIFIER_RETRY_MS = 30_000;

/** Where the detector's files lie; absolute addresses, since a worker resolves relative ones against its own. */
export interface DetectorAssets {
  readonly modelUrl: string;
  readonly weightsUrl: string;
  readonly verifierUrl: string;
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
  #verifier: FaceVerifier | "loading" | null = null;
  #loadVerifierAtMs = Number.NEGATIVE_INFINITY;

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
   * @param minScore what scores less, in (0, 1), is not reported
   * @returns faces in input pixels, best first
   * @throws Error where the backend has broken down
   */
  async detect(input: Float32Array, minScore: number): Promise<Detection[]> {
    const model = await this.#ready();
    const { logits, offsets } = await run(model, input);
    return blendOverlapping(decodeAnchors(logits, offsets, minScore), SAME_FACE_IOU);
  }

  /**
   * The probabilities that crops show a face. The first call has the verifier's weights loaded, and does not wait for
   * them: so they do not delay the first face.
   *
   * @param cropsOf gives the crops, each as of `greyCrop`
   * @returns null as long as there is no verifier
   * @throws Error where the backend has broken down
   */
  async verify(cropsOf: () => readonly Float32Array[]): Promise<readonly number[] | null> {
    await this.#ready();
    if (this.#verifier === null) void this.#loadVerifier();
    return this.#verifier instanceof FaceVerifier ? await this.#verifier.probabilities(cropsOf()) : null;
  }

  dispose(): void {
    this.#model?.dispose();
    this.#model = null;
    if (this.#verifier instanceof FaceVerifier) this.#verifier.dispose();
    this.#verifier = null;
  }

  async #ready(): Promise<GraphModel> {
    if (this.#model === null) throw new Error("the model is not loaded");
    if (this.#isLost()) throw new Error("the graphics device was lost");
    // On the main thread two runtimes can share one TensorFlow.js, whose current backend is global.
    if (tf.getBackend() !== this.#backend) await tf.setBackend(this.#backend);
    return this.#model;
  }

  async #loadVerifier(): Promise<void> {
    const nowMs = performance.now();
    if (nowMs < this.#loadVerifierAtMs) return;
    this.#loadVerifierAtMs = nowMs + VERIFIER_RETRY_MS;
    this.#verifier = "loading";
    try {
      await new Promise((resolve) => setTimeout(resolve, VERIFIER_DELAY_MS));
      const answer = await fetch(this.#assets.verifierUrl);
      if (!answer.ok) throw new Error(`the verifier's weights cannot be had: ${answer.status}`);
      const weights = await answer.arrayBuffer();
      if (this.#model !== null) this.#verifier = new FaceVerifier(weights);
    } catch {
      // Without it the detector works as ever, but misses most faces under headsets. The server may be away.
      this.#verifier = null;
    }
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
