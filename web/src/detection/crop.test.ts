import { describe, expect, it } from "vitest";
import cases from "../../../tests/data/crop_cases.json";
import type { BoxXywh, PointXy } from "./box";
import { CROP_MARGIN, CROP_RAISE, cropSquare, cropTurn } from "./crop";

const FRAME = { width: 640, height: 480 };

describe("the cases that the server's tests read, too", () => {
  it.each(cases)("$name", ({ box, landmarks, frame: [width = 0, height = 0], turn_deg, square }) => {
    const boxXywh = box as unknown as BoxXywh;

    const turnDeg = cropTurn(boxXywh, landmarks as unknown as PointXy[]);

    expect(turnDeg).toBeCloseTo(turn_deg, 4);
    const found = cropSquare(boxXywh, { width, height }, turnDeg);
    found.forEach((value, index) => expect(value).toBeCloseTo(square[index] ?? Number.NaN, 3));
  });
});

describe("cropTurn", () => {
  it("is none where there are no landmarks", () => {
    expect(cropTurn([300, 200, 100, 100])).toBe(0);
  });
});

describe("cropSquare", () => {
  it("is a square of the margin times the longer side, a tenth of that side above the box's centre", () => {
    const [x, y, width, height] = cropSquare([300, 200, 100, 80], FRAME);
    expect([width, height]).toEqual([100 * CROP_MARGIN, 100 * CROP_MARGIN]);
    expect([x + width / 2, y + height / 2]).toEqual([350, 240 - 100 * CROP_RAISE]);
  });

  it.each([
    ["left", [-20, 200, 100, 100], [0, 180]],
    ["top", [200, -20, 100, 100], [190, 0]],
    ["right", [600, 200, 100, 100], [520, 180]],
    ["bottom", [200, 440, 100, 100], [190, 360]],
    ["right and the top", [900, -300, 100, 100], [520, 0]],
  ] as const)("is moved inside, at its full size, where it crosses the %s edge", (_, box, corner) => {
    expect(cropSquare(box, FRAME)).toEqual([...corner, 120, 120]);
  });

  it("is shrunk to the frame's shorter side where it is larger, and stays as near the face as it can", () => {
    expect(cropSquare([60, 40, 500, 500], FRAME)).toEqual([70, 0, 480, 480]);
  });
});
