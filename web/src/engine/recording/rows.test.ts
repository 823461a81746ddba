import { describe, expect, it } from "vitest";
import { byteLengthOf, RowBuffer, rowAt } from "./rows";

const LABELS = ["glad", "sad", "calm"];
const FACE = {
  face_id: 1,
  box: [-3, 20.4, 100, 90],
  emotion: "sad",
  confidence: 0.8123,
  predictions: { glad: 0.1, sad: 0.8123, calm: 0.0877 },
};

describe("RowBuffer", () => {
  it("gives back exactly what the wire carries", () => {
    const buffer = new RowBuffer(LABELS, 2);
    buffer.add(1_790_000_000_123.4, 7, {
      ...FACE,
      quality: { size_px: 96, sharpness: 0.51, yaw_deg: -12.25 },
      uncertain: true,
      reasons: ["dark", "cut_off", "a newer server's"],
    });
    expect(rowAt(buffer.slice(), LABELS, 0)).toEqual({
      capturedAtMs: 1_790_000_000_123.4,
      faceId: 7,
      boxXywh: [-3, 20, 100, 90],
      emotion: "sad",
      confidence: 0.8123,
      probabilities: [0.1, 0.8123, 0.0877],
      quality: [0.51, null, 96, null, -12.25, null, null],
      uncertain: true,
      reasons: ["dark", "cut_off"],
    });
  });

  it("tells what is unknown from what is not so", () => {
    const buffer = new RowBuffer(LABELS, 2);
    buffer.add(0, 1, { ...FACE, box: null });
    buffer.add(0, 1, { ...FACE, uncertain: false, reasons: [] });
    const columns = buffer.slice();
    const [unknown, certain] = [rowAt(columns, LABELS, 0), rowAt(columns, LABELS, 1)];
    expect([unknown.boxXywh, unknown.uncertain]).toEqual([null, null]);
    expect([certain.uncertain, certain.reasons]).toEqual([false, []]);
  });

  it("takes the likeliest label where the server names one that is not the model's", () => {
    const buffer = new RowBuffer(LABELS, 1);
    buffer.add(0, 1, { ...FACE, emotion: "bored" });
    expect(rowAt(buffer.slice(), LABELS, 0).emotion).toBe("sad");
  });

  it("refuses more rows than it has room for, and keeps its copies apart", () => {
    const buffer = new RowBuffer(LABELS, 2);
    buffer.add(1, 1, FACE);
    const before = buffer.slice();
    buffer.add(2, 1, FACE);
    expect(() => buffer.add(3, 1, FACE)).toThrow(RangeError);
    expect([before.rows, buffer.slice(1).capturedAtMs[0]]).toEqual([1, 2]);
  });

  it("takes less than 80 bytes a row", () => {
    const buffer = new RowBuffer(["a", "b", "c", "d", "e", "f", "g", "h"], 100);
    for (let row = 0; row < 100; row++) buffer.add(row, 1, FACE);
    expect(byteLengthOf(buffer.slice())).toBeLessThan(8000);
  });
});
