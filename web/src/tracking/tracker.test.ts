import { describe, expect, it } from "vitest";
import cases from "../../../tests/data/tracking_cases.json";
import type { BoxXywh, Detection } from "../detection/box";
import { FaceTracker, type Track } from "./tracker";

/** The file's arrays have no fixed length for TypeScript. */
interface RecordedFrame {
  readonly time_s: number;
  readonly faces: readonly {
    readonly box: readonly number[];
    readonly appearance: readonly number[];
    readonly id: number;
  }[];
}

function face(cx: number, cy = 200, side = 100, score = 0.9): Detection {
  return { boxXywh: [cx - side / 2, cy - side / 2, side, side], score };
}

/** The ids of the latest detections, in their order. */
function idsOf(tracks: readonly Track[], count: number): (number | undefined)[] {
  return Array.from(
    { length: count },
    (_, index) => tracks.find(({ detection }) => detection === index)?.faceId,
  );
}

describe("FaceTracker", () => {
  it.each(Object.entries(cases as Record<string, readonly RecordedFrame[]>))(
    "gives the recorded ids, as tests/tracking/test_tracker.py does: %s",
    (_, frames) => {
      const tracker = new FaceTracker();
      for (const { time_s, faces } of frames) {
        const detections = faces.map(({ box, appearance }) => ({
          boxXywh: box as unknown as BoxXywh,
          appearance,
          score: 1,
        }));
        const tracks = tracker.update(detections, time_s);
        expect(idsOf(tracks, faces.length), `at ${time_s} s`).toEqual(faces.map(({ id }) => id));
      }
    },
  );

  it("says meanwhile that a face is not seen, and remembers it", () => {
    const tracker = new FaceTracker();
    const [before] = tracker.update([face(100)], 0);
    expect(tracker.update([], 0.3)).toMatchObject([
      { faceId: before?.faceId, detection: null, seenAtS: 0, boxXywh: before?.boxXywh },
    ]);
    expect(tracker.update([], 2.6)).toEqual([]);
  });

  it("takes up a new face only at a good score, but keeps a known one at a lower score", () => {
    const tracker = new FaceTracker({ minNewScore: 0.6 });
    expect(tracker.update([face(100, 200, 100, 0.5)], 0)).toEqual([]);
    expect(tracker.update([face(100, 200, 100, 0.7)], 0.1)).toHaveLength(1);
    expect(tracker.update([face(100, 200, 100, 0.5)], 0.2)[0]?.detection).toBe(0);
  });

  it("steadies the box to draw, but not the one to cut out", () => {
    const tracker = new FaceTracker();
    tracker.update([face(100)], 0);
    const [track] = tracker.update([face(104)], 0.1);
    expect(track?.boxXywh).toEqual([54, 150, 100, 100]);
    expect(track?.smoothXywh[0]).toBeGreaterThan(50);
    expect(track?.smoothXywh[0]).toBeLessThan(54);
  });

  it("does not let the drawn box lag behind a face that moves evenly", () => {
    const tracker = new FaceTracker();
    let tracks: readonly Track[] = [];
    for (let frame = 0; frame < 20; frame++) tracks = tracker.update([face(100 + 75 * frame)], frame / 25);
    const [track] = tracks;
    expect(Math.abs((track?.smoothXywh[0] ?? 0) - (track?.boxXywh[0] ?? 0))).toBeLessThan(10);
  });

  it("tells which detection each face came from", () => {
    const tracker = new FaceTracker();
    tracker.update([face(100), face(400)], 0);
    const tracks = tracker.update([face(400), face(100)], 0.1);
    expect(tracks.map((track) => track.detection)).toEqual([1, 0]);
  });

  it("bounds what is remembered by the faces that were seen last", () => {
    const tracker = new FaceTracker();
    let tracks: readonly Track[] = [];
    for (let frame = 0; frame < 64; frame++) tracks = tracker.update([face(2000 * frame)], 0.01 * frame);
    expect(tracks.map((track) => track.faceId)).toEqual(Array.from({ length: 33 }, (_, index) => index + 32));
  });
});
