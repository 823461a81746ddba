import { describe, expect, it } from "vitest";
import { readSafetensors } from "./safetensors";

/** A file with this header and these bytes after it. */
function file(header: unknown, bytes: ArrayBuffer): ArrayBuffer {
  const json = new TextEncoder().encode(JSON.stringify(header));
  const whole = new Uint8Array(8 + json.length + bytes.byteLength);
  new DataView(whole.buffer).setBigUint64(0, BigInt(json.length), true);
  whole.set(json, 8);
  whole.set(new Uint8Array(bytes), 8 + json.length);
  return whole.buffer;
}

const tensor = (dtype: string, shape: number[], from: number, to: number) => ({
  dtype,
  shape,
  data_offsets: [from, to],
});

describe("readSafetensors", () => {
  it("reads numbers of both precisions with their shapes, and leaves what is not a tensor", () => {
    const bytes = new ArrayBuffer(16);
    new Uint16Array(bytes, 0, 4).set([0x3c00, 0xc000, 0x0001, 0x7bff]);
    new Float32Array(bytes, 8, 2).set([0.25, -3]);

    const tensors = readSafetensors(
      file(
        {
          __metadata__: { format: "pt" },
          half: tensor("F16", [2, 2], 0, 8),
          single: tensor("F32", [2], 8, 16),
        },
        bytes,
      ),
    );

    expect([...tensors.keys()]).toEqual(["half", "single"]);
    expect(tensors.get("half")?.shape).toEqual([2, 2]);
    expect([...(tensors.get("half")?.values ?? [])]).toEqual([1, -2, 2 ** -24, 65504]);
    expect([...(tensors.get("single")?.values ?? [])]).toEqual([0.25, -3]);
  });

  it("knows infinities and what is no number", () => {
    const bytes = Uint16Array.from([0xfc00, 0x7e00]).buffer;

    const values = readSafetensors(file({ odd: tensor("F16", [2], 0, 4) }, bytes)).get("odd")?.values;

    expect([...(values ?? [])]).toEqual([Number.NEGATIVE_INFINITY, Number.NaN]);
  });

  it.each([
    ["is of another type", { a: tensor("BF16", [1], 0, 2) }, "a is of type BF16"],
    ["has more or fewer numbers than its shape", { a: tensor("F32", [2], 0, 4) }, "the size of its shape"],
    ["lies beyond the end", { a: tensor("F32", [2], 0, 8) }, "cut off"],
  ])("refuses a tensor that %s", (_, header, message) => {
    expect(() => readSafetensors(file(header, new ArrayBuffer(4)))).toThrow(message);
  });

  it("refuses a file that ends before its header does", () => {
    expect(() => readSafetensors(new ArrayBuffer(4))).toThrow("cut off");
    expect(() => readSafetensors(file({ a: 1 }, new ArrayBuffer(0)).slice(0, 10))).toThrow("cut off");
  });
});
