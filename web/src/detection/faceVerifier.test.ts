import { fileURLToPath } from "node:url";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { FaceVerifier } from "./faceVerifier";
import { GREY_CROP_PX } from "./greyCrop";

beforeAll(async () => {
  setWasmPaths(
    fileURLToPath(new URL("../../node_modules/@tensorflow/tfjs-backend-wasm/dist/", import.meta.url)),
  );
  await tf.setBackend("wasm");
});

/** A file of weights with two channels: each convolution hands the first on as it is, and the head is as given. */
function weights(head: readonly (readonly number[])[], bias: readonly number[], lacking = ""): ArrayBuffer {
  const tensors: Record<string, { shape: number[]; values: number[] }> = {};
  for (let layer = 0; layer < 7; layer++) {
    const inputs = layer === 0 ? 1 : 2;
    const kernel = Array<number>(2 * inputs * 9).fill(0);
    kernel[4] = 1; // the middle of the first kernel
    tensors[`convolutions.${layer}.weight`] = { shape: [2, inputs, 3, 3], values: kernel };
    tensors[`convolutions.${layer}.bias`] = { shape: [2], values: [0, 0] };
  }
  tensors["head.weight"] = { shape: [head.length, 4], values: head.flat() };
  tensors["head.bias"] = { shape: [head.length], values: [...bias] };
  const header: Record<string, unknown> = {};
  const all: number[] = [];
  for (const [name, { shape, values }] of Object.entries(tensors)) {
    if (name === lacking) continue;
    header[name] = { dtype: "F32", shape, data_offsets: [4 * all.length, 4 * (all.length + values.length)] };
    all.push(...values);
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const file = new Uint8Array(8 + json.length + 4 * all.length);
  new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true);
  file.set(json, 8);
  file.set(new Uint8Array(Float32Array.from(all).buffer), 8 + json.length);
  return file.buffer;
}

const NOTHING = [0, 0, 0, 0];
/** Mean of both channels, then the maximum of both. */
const MAXIMUM_OF_THE_FIRST = [0, 0, 1, 0];

async function probabilityOf(verifier: FaceVerifier, crop: Float32Array): Promise<number | undefined> {
  const [probability] = await verifier.probabilities([crop]);
  return probability;
}

const DARK = new Float32Array(GREY_CROP_PX ** 2);

/** Black, with one white pixel. */
function spot(x: number, y: number): Float32Array {
  const crop = DARK.slice();
  crop[y * GREY_CROP_PX + x] = 255;
  return crop;
}

describe("FaceVerifier", () => {
  it("gives a face what the first of two outputs leaves", async () => {
    const verifier = new FaceVerifier(weights([NOTHING, NOTHING], [Math.log(3), 0]));

    expect(await probabilityOf(verifier, DARK)).toBeCloseTo(0.25, 5);
  });

  it("adds up what five outputs give to a face", async () => {
    const verifier = new FaceVerifier(weights(Array<number[]>(5).fill(NOTHING), [0, 0, 0, 0, 0]));

    expect(await probabilityOf(verifier, DARK)).toBeCloseTo(0.8, 5);
  });

  it("sees each crop with a mean of 0 and a deviation of nearly 1, and of each four pixels the first", async () => {
    const verifier = new FaceVerifier(weights([NOTHING, MAXIMUM_OF_THE_FIRST], [0, 0]));
    const deviation = Math.sqrt((255 ** 2 * (1 - 1 / 2304)) / 2303) + 4;
    const brightest = (255 * (1 - 1 / 2304)) / deviation;

    // Three strides of 2 keep every eighth pixel, as PyTorch's padding has it.
    expect(await probabilityOf(verifier, spot(8, 16))).toBeCloseTo(1 / (1 + Math.exp(-brightest)), 5);
    expect(await probabilityOf(verifier, spot(9, 16))).toBeCloseTo(0.5, 5);
    expect(await probabilityOf(verifier, spot(8, 15))).toBeCloseTo(0.5, 5);
  });

  it("answers for several crops in their order", async () => {
    const verifier = new FaceVerifier(weights([NOTHING, MAXIMUM_OF_THE_FIRST], [0, 0]));

    const [first = 0, second = 0] = await verifier.probabilities([DARK, spot(8, 16)]);

    expect(first).toBeCloseTo(0.5, 5);
    expect(second).toBeGreaterThan(0.99);
  });

  it("refuses the weights of another network", () => {
    expect(() => new FaceVerifier(weights([NOTHING], [0], "head.bias"))).toThrow("lack head.bias");
  });
});
