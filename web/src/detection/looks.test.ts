import { describe, expect, it } from "vitest";
import cases from "../../../tests/data/turned_cases.json";
import type { BoxXywh, Detection, PointXy } from "./box";
import { INPUT_SIZE_PX } from "./decode";
import { FURTHER_LOOKS, LookOrder, PLAIN_LOOK, type Quarters, seenFrom, turnedBack } from "./looks";

const [COARSER, BY_90, BY_270, BY_180] = FURTHER_LOOKS;

describe("the cases that the server's tests read, too", () => {
  it.each(cases)("$name", ({ quarters, frame: [width = 0, height = 0], box, landmarks, ...turned }) => {
    const found: Detection = {
      boxXywh: turned.turned_box as unknown as BoxXywh,
      score: 0.9,
      landmarksXy: turned.turned_landmarks as unknown as PointXy[],
    };

    expect(turnedBack(found, quarters as Quarters, { width, height })).toEqual({
      boxXywh: box,
      score: 0.9,
      landmarksXy: landmarks,
    });
  });
});

/** An upright face of 64 px in the middle of the detector's input. */
const FACE: Detection = {
  boxXywh: [96, 96, 64, 64],
  score: 0.9,
  landmarksXy: [
    [115, 115],
    [141, 115],
    [128, 128],
    [128, 143],
    [102, 120],
    [154, 120],
  ],
};

describe("seenFrom", () => {
  const size = { width: 640, height: 480 };

  it("takes a face of the frame as it is back to frame pixels", () => {
    const { boxXywh, turnDeg } = seenFrom(PLAIN_LOOK, FACE, size);

    expect(boxXywh).toEqual([240, 160, 160, 160]);
    expect(turnDeg).toBe(0);
  });

  it("makes a face twice as large that was seen in a frame of half the size", () => {
    expect(seenFrom(COARSER, FACE, size).boxXywh).toEqual([160, 80, 320, 320]);
  });

  it.each([
    ["90°", BY_90, 90],
    ["180°", BY_180, 180],
    ["270°", BY_270, -90],
  ] as const)("has the crop of a face turned by %s turned upright", (_, look, turnDeg) => {
    const found = seenFrom(look, FACE, size).turnDeg ?? 0;

    // Half a turn is the same to either side.
    expect((found + 360) % 360).toBeCloseTo((turnDeg + 360) % 360);
  });

  it("turns the crop by the look where the landmarks are not to be believed, as under a headset", () => {
    const covered: Detection = {
      ...FACE,
      landmarksXy: FACE.landmarksXy?.map(() => [128, 128] as const) ?? [],
    };

    expect(seenFrom(BY_90, covered, size).turnDeg).toBe(90);
    expect(seenFrom(PLAIN_LOOK, covered, size).turnDeg).toBe(0);
  });

  it("keeps the face where it is in a frame that is not in the middle of the input", () => {
    // Upright in a frame turned by 90° anticlockwise, whose top is the frame's right edge.
    const top: Detection = { ...FACE, boxXywh: [96, INPUT_SIZE_PX / 8, 64, 64] };

    const [x, y, width, height] = seenFrom(BY_90, top, size).boxXywh;

    expect(x + width).toBe(640);
    expect(y + height / 2).toBe(240);
  });
});

describe("LookOrder", () => {
  it("tries one further look in each frame, and all of them in turn", () => {
    const order = new LookOrder();

    const tried = [0, 1, 2, 3, 4].flatMap(() => [...order.next()]);

    expect(tried).toEqual([...FURTHER_LOOKS, FURTHER_LOOKS[0]]);
  });

  it("tries the look that found a face first, and beside it the others in turn", () => {
    const order = new LookOrder();
    order.tried(BY_90, true);

    const frames = [0, 1, 2, 3].map(() => order.next());

    expect(frames.map(([first]) => first)).toEqual([BY_90, BY_90, BY_90, BY_90]);
    expect(frames.map(([, other]) => other)).toEqual([COARSER, BY_270, BY_180, COARSER]);
  });

  it("gives a look up that has failed for some frames, and not before", () => {
    const order = new LookOrder();
    order.tried(BY_180, true);
    for (let frame = 0; frame < 4; frame++) order.tried(BY_180, false);
    expect(order.next()[0]).toBe(BY_180);

    order.tried(BY_180, false);

    expect(order.next()).toHaveLength(1);
  });

  it("forgets failures once the look finds the face again", () => {
    const order = new LookOrder();
    for (let frame = 0; frame < 12; frame++) order.tried(BY_180, frame % 2 === 0);

    expect(order.next()[0]).toBe(BY_180);
  });

  it("never tries more than two", () => {
    const order = new LookOrder();
    order.tried(COARSER, true);

    for (let frame = 0; frame < 9; frame++) expect(order.next().length).toBeLessThanOrEqual(2);
  });

  it("tries the look that the verifier asks for first", () => {
    const order = new LookOrder();
    order.tried(BY_90, true);

    expect(order.next(2)).toEqual([BY_180, BY_90]);
    expect(order.next(0)).toEqual([COARSER, BY_90]);
    expect(order.next()[0]).toBe(BY_90);
  });

  it("tries each look once for a face that may be better seen otherwise, and then rests for a while", () => {
    const order = new LookOrder();

    const tried = Array.from({ length: 40 }, () => order.next(null, true).length);

    expect(tried).toEqual([1, 1, 1, 1, ...Array<number>(30).fill(0), 1, 1, 1, 1, 0, 0]);
  });
});
