import { describe, expect, it } from "vitest";
import type { BoxXywh, Detection } from "../detection/box";
import { FaceTracker, type Track } from "./tracker";

const FRAME_MS = 100;

function face(cx: number, cy = 200, side = 100, score = 0.9): Detection {
  return { boxXywh: [cx - side / 2, cy - side / 2, side, side], score };
}

function idAt(tracks: readonly Track[], cx: number): number | undefined {
  return tracks.find(({ boxXywh: [x, , width] }) => Math.abs(x + width / 2 - cx) < 1)?.faceId;
}

describe("FaceTracker", () => {
  it("keeps a face's id while it moves", () => {
    const tracker = new FaceTracker();
    const ids = new Set<number>();
    for (let frame = 0; frame < 20; frame++) {
      for (const { faceId } of tracker.update([face(100 + 15 * frame)], frame * FRAME_MS)) ids.add(faceId);
    }
    expect(ids.size).toBe(1);
  });

  it("gives every face an id of its own, in whatever order the detector lists them", () => {
    const tracker = new FaceTracker();
    const first = tracker.update([face(100), face(400)], 0);
    const second = tracker.update([face(402), face(102)], FRAME_MS);
    expect(idAt(second, 102)).toBe(idAt(first, 100));
    expect(idAt(second, 402)).toBe(idAt(first, 400));
  });

  it("does not swap two faces that cross", () => {
    const tracker = new FaceTracker();
    const steps = 20;
    const left = (step: number) => 100 + 20 * step;
    const right = (step: number) => 500 - 20 * step + 0.5;
    let tracks = tracker.update([face(left(0), 200), face(right(0), 230)], 0);
    const before = { left: idAt(tracks, left(0)), right: idAt(tracks, right(0)) };
    for (let step = 1; step <= steps; step++) {
      tracks = tracker.update([face(right(step), 230), face(left(step), 200)], step * 50);
    }
    expect(idAt(tracks, left(steps))).toBe(before.left);
    expect(idAt(tracks, right(steps))).toBe(before.right);
  });

  it("follows a face that jumps further than its own box at a low frame rate", () => {
    const tracker = new FaceTracker();
    const [before] = tracker.update([face(100)], 0);
    const [after] = tracker.update([face(175)], 500);
    expect(after?.faceId).toBe(before?.faceId);
  });

  it("bridges a gap of half a second, and says meanwhile that the face was not seen", () => {
    const tracker = new FaceTracker();
    const [before] = tracker.update([face(100)], 0);
    const [waiting] = tracker.update([], 300);
    expect(waiting).toMatchObject({ faceId: before?.faceId, detection: null, seenAtMs: 0 });
    const [found] = tracker.update([face(110)], 500);
    expect(found).toMatchObject({ faceId: before?.faceId, detection: 0 });
  });

  it("forgets a face after the gap, and never gives its id to another", () => {
    const tracker = new FaceTracker();
    const [before] = tracker.update([face(100)], 0);
    expect(tracker.update([], 501)).toEqual([]);
    const [after] = tracker.update([face(100)], 600);
    expect(after?.faceId).toBeGreaterThan(before?.faceId ?? 0);
  });

  it("keeps a face's id where the detector takes longer for each frame than a face may be away", () => {
    const tracker = new FaceTracker();
    const ids = new Set<number>();
    for (let frame = 0; frame < 5; frame++) {
      for (const { faceId } of tracker.update([face(100 + frame)], frame * 900)) ids.add(faceId);
    }
    expect(ids.size).toBe(1);
  });

  it("takes a face for a new one after a long pause", () => {
    const tracker = new FaceTracker();
    const [before] = tracker.update([face(100)], 0);
    const [after] = tracker.update([face(100)], 10_001);
    expect(after?.faceId).not.toBe(before?.faceId);
  });

  it("gives a face that joins a new id, and leaves the others theirs", () => {
    const tracker = new FaceTracker();
    const [alone] = tracker.update([face(100)], 0);
    const tracks = tracker.update([face(400), face(101)], FRAME_MS);
    expect(idAt(tracks, 101)).toBe(alone?.faceId);
    expect(idAt(tracks, 400)).not.toBe(alone?.faceId);
  });

  it("takes up a new face only at a good score, but keeps a known one at a lower score", () => {
    const tracker = new FaceTracker({ minNewScore: 0.6 });
    expect(tracker.update([face(100, 200, 100, 0.5)], 0)).toEqual([]);
    expect(tracker.update([face(100, 200, 100, 0.7)], FRAME_MS)).toHaveLength(1);
    expect(tracker.update([face(100, 200, 100, 0.5)], 2 * FRAME_MS)[0]?.detection).toBe(0);
  });

  it("steadies the box to draw, but not the one to cut out", () => {
    const tracker = new FaceTracker();
    tracker.update([face(100)], 0);
    const [track] = tracker.update([face(120)], FRAME_MS);
    const current: BoxXywh = [70, 150, 100, 100];
    expect(track?.boxXywh).toEqual(current);
    expect(track?.smoothXywh[0]).toBeGreaterThan(50);
    expect(track?.smoothXywh[0]).toBeLessThan(70);
  });

  it("tells which detection each face came from", () => {
    const tracker = new FaceTracker();
    tracker.update([face(100), face(400)], 0);
    const tracks = tracker.update([face(400), face(100)], FRAME_MS);
    expect(tracks.map((track) => track.detection)).toEqual([1, 0]);
  });
});
