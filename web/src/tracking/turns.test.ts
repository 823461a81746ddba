import { describe, expect, it } from "vitest";
import type { Track } from "./tracker";
import { CropTurns } from "./turns";

function tracks(...detections: (number | null)[]): Track[] {
  const boxXywh = [0, 0, 10, 10] as const;
  return detections.map((detection, index) => ({
    faceId: index + 1,
    boxXywh,
    smoothXywh: boxXywh,
    seenAtS: 0,
    detection,
  }));
}

const idsOf = (chosen: readonly Track[]) => chosen.map(({ faceId }) => faceId);

describe("CropTurns", () => {
  it("takes all faces where all fit, the largest first", () => {
    expect(idsOf(new CropTurns().next(tracks(1, 0, 2), 8, 0))).toEqual([2, 1, 3]);
  });

  it("goes round where there are more faces than crops, so that nobody waits for ever", () => {
    const turns = new CropTurns();
    const nine = tracks(0, 1, 2, 3, 4, 5, 6, 7, 8);
    const rounds = [0, 1, 2].map((frame) => idsOf(turns.next(nine, 4, 100 * frame)));
    expect(rounds).toEqual([
      [1, 2, 3, 4],
      [5, 6, 7, 8],
      [1, 2, 3, 9],
    ]);
  });

  it("serves every face equally often, whichever order the detector lists them in", () => {
    const turns = new CropTurns();
    const served = new Map<number, number>();
    for (let frame = 0; frame < 90; frame++) {
      const order = Array.from({ length: 9 }, (_, index) => (index * 4 + frame) % 9);
      for (const faceId of idsOf(turns.next(tracks(...order), 4, frame)))
        served.set(faceId, (served.get(faceId) ?? 0) + 1);
    }
    expect(Math.min(...served.values())).toBeGreaterThanOrEqual(39);
    expect(Math.max(...served.values())).toBeLessThanOrEqual(41);
    expect(served.size).toBe(9);
  });

  it("takes no face that is not seen, and such a face is first when it is back", () => {
    const turns = new CropTurns();
    expect(idsOf(turns.next(tracks(0, null), 1, 0))).toEqual([1]);
    expect(idsOf(turns.next(tracks(0, null), 1, 100))).toEqual([1]);
    expect(idsOf(turns.next(tracks(0, 1), 1, 200))).toEqual([2]);
  });

  it("takes nobody where nothing may be sent, which costs nobody a turn", () => {
    const turns = new CropTurns();
    expect(turns.next(tracks(0, 1), 0, 0)).toEqual([]);
    expect(idsOf(turns.next(tracks(0, 1), 1, 100))).toEqual([1]);
  });
});
