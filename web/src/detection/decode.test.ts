import { describe, expect, it } from "vitest";
import { ANCHOR_CENTRES, blendOverlapping, decodeAnchors, OFFSETS_PER_ANCHOR } from "./decode";

const ANCHORS = 896;
const NO_FACE = -20;

function outputs(): { logits: Float32Array; offsets: Float32Array } {
  return {
    logits: new Float32Array(ANCHORS).fill(NO_FACE),
    offsets: new Float32Array(ANCHORS * OFFSETS_PER_ANCHOR),
  };
}

describe("ANCHOR_CENTRES", () => {
  it("lists two anchors for each cell of the fine grid, then six for each of the coarse one", () => {
    expect(ANCHOR_CENTRES).toHaveLength(2 * ANCHORS);
    expect([...ANCHOR_CENTRES.slice(0, 6)]).toEqual([8, 8, 8, 8, 24, 8]);
    expect([...ANCHOR_CENTRES.slice(2 * 512, 2 * 512 + 14)].slice(10)).toEqual([16, 16, 48, 16]);
    expect([...ANCHOR_CENTRES.slice(-2)]).toEqual([240, 240]);
  });
});

describe("decodeAnchors", () => {
  it("reads a box relative to its anchor's centre", () => {
    const { logits, offsets } = outputs();
    logits[2] = 2;
    offsets.set([4, -2, 40, 60], 2 * OFFSETS_PER_ANCHOR);
    const [face, ...others] = decodeAnchors(logits, offsets, 0.5);
    expect(others).toEqual([]);
    expect(face?.boxXywh).toEqual([24 + 4 - 20, 8 - 2 - 30, 40, 60]);
    expect(face?.score).toBeCloseTo(1 / (1 + Math.exp(-2)));
  });

  it("reads landmarks relative to the anchor's centre", () => {
    const { logits, offsets } = outputs();
    logits[2] = 2;
    offsets.set([0, 0, 40, 60, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], 2 * OFFSETS_PER_ANCHOR);
    const [face] = decodeAnchors(logits, offsets, 0.5);
    expect(face?.landmarksXy).toEqual([
      [25, 10],
      [27, 12],
      [29, 14],
      [31, 16],
      [33, 18],
      [35, 20],
    ]);
  });

  it("leaves out faces below the score, and boxes without an area", () => {
    const { logits, offsets } = outputs();
    logits[0] = -0.1;
    offsets.set([0, 0, 40, 40], 0);
    logits[1] = 3;
    expect(decodeAnchors(logits, offsets, 0.5)).toEqual([]);
  });

  it("refuses outputs of another shape", () => {
    expect(() => decodeAnchors(new Float32Array(3), new Float32Array(48), 0.5)).toThrow(RangeError);
  });

  it("refuses what a lost graphics context answers", () => {
    const { logits, offsets } = outputs();
    logits[100] = Number.NaN;
    expect(() => decodeAnchors(logits, offsets, 0.5)).toThrow(RangeError);
  });
});

describe("blendOverlapping", () => {
  it("gives one face for boxes that overlap: their mean, weighted by score, with the best score", () => {
    const faces = blendOverlapping(
      [
        { boxXywh: [10, 0, 100, 100], score: 0.6, landmarksXy: [[40, 20]] },
        { boxXywh: [0, 0, 100, 100], score: 0.9, landmarksXy: [[20, 30]] },
      ],
      0.3,
    );
    expect(faces).toEqual([{ boxXywh: [4, 0, 100, 100], score: 0.9, landmarksXy: [[28, 26]] }]);
  });

  it("leaves boxes that are far less likely out of the mean, and gives no face for them", () => {
    const best = { boxXywh: [0, 0, 100, 100], score: 0.9, landmarksXy: [] } as const;

    expect(blendOverlapping([{ boxXywh: [10, 0, 100, 100], score: 0.3 }, best], 0.3)).toEqual([best]);
  });

  it("keeps faces apart that overlap little, best first", () => {
    const left = { boxXywh: [0, 0, 100, 100], score: 0.6 } as const;
    const right = { boxXywh: [90, 0, 100, 100], score: 0.8 } as const;
    expect(blendOverlapping([left, right], 0.3).map((face) => face.score)).toEqual([0.8, 0.6]);
  });

  it("finds nothing in nothing", () => {
    expect(blendOverlapping([], 0.3)).toEqual([]);
  });
});
