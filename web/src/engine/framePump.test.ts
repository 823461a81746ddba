import { describe, expect, it } from "vitest";
import type { FrameAnalysis } from "../detection/analyser";
import type { PointXy, SizePx } from "../detection/box";
import type { FaceCrop } from "../stream/envelope";
import { type CapturedFrame, FramePump } from "./framePump";

const CROP = new ArrayBuffer(3);
const LANDMARKS: readonly PointXy[] = [
  [360, 160],
  [440, 160],
  [400, 200],
  [400, 240],
  [310, 180],
  [490, 180],
];
const FACES: FrameAnalysis = {
  detections: [
    { boxXywh: [300, 100, 200, 200], score: 0.9, landmarksXy: LANDMARKS, turnDeg: -34 },
    { boxXywh: [20, 100, 100, 100], score: 0.9 },
  ],
  detectMs: 5,
};

/** A pump whose detector answers when the test lets it. */
function setUp(options: { intervalMs?: number; analysis?: FrameAnalysis } = {}) {
  const world = {
    now: 0,
    cropLimit: 8,
    captured: 0,
    analysed: 0,
    cut: [] as number[],
    sent: [] as { capturedAtMs: number; faces: readonly FaceCrop[]; frame: SizePx }[],
    trackCounts: [] as number[],
    failures: [] as unknown[],
    detect: async (): Promise<FrameAnalysis> => options.analysis ?? FACES,
  };
  const pump = new FramePump<CapturedFrame>({
    now: () => world.now,
    capture: async () => {
      world.captured++;
      return { width: 640, height: 480, close: () => {} };
    },
    analyser: () => ({
      analyse: () => {
        world.analysed++;
        return world.detect();
      },
      cut: async (faces) => {
        world.cut.push(faces.length);
        return faces.map(() => CROP);
      },
    }),
    cropLimit: () => world.cropLimit,
    intervalMs: () => options.intervalMs ?? 100,
    send: (capturedAtMs, faces, frame) => world.sent.push({ capturedAtMs, faces, frame }),
    onTracks: (tracks) => world.trackCounts.push(tracks.length),
    onAnalysis: () => {},
    onFailure: (error) => world.failures.push(error),
  });
  const frameAt = (timeMs: number) => {
    world.now = timeMs;
    return pump.onFrame(1_790_000_000_000 + timeMs);
  };
  return { world, frameAt };
}

describe("FramePump", () => {
  it("sends each face's crop with its id, box, landmarks and turn, the frame's size and the time of capture", async () => {
    const { world, frameAt } = setUp();
    await frameAt(0);
    expect(world.sent).toHaveLength(1);
    expect(world.sent[0]?.capturedAtMs).toBe(1_790_000_000_000);
    expect(world.sent[0]?.faces).toEqual([
      { faceId: 1, boxXywh: [300, 100, 200, 200], landmarksXy: LANDMARKS, turnDeg: -34, image: CROP },
      { faceId: 2, boxXywh: [20, 100, 100, 100], landmarksXy: undefined, image: CROP },
    ]);
    expect(world.sent[0]?.frame).toEqual({ width: 640, height: 480 });
  });

  it("lets frames go that come while one is being analysed", async () => {
    const { world, frameAt } = setUp();
    let finish = (_: FrameAnalysis) => {};
    world.detect = () =>
      new Promise((resolve) => {
        finish = resolve;
      });
    const first = frameAt(0);
    await Promise.all([frameAt(33), frameAt(66), frameAt(99)]);
    expect(world.captured).toBe(1);
    finish(FACES);
    await first;
    void frameAt(133);
    expect(world.analysed).toBe(1);
    await Promise.resolve();
    expect(world.captured).toBe(2);
  });

  it.each([
    [50, 20],
    [500, 2],
  ])("sends about 1000 / %d frames a second", async (intervalMs, expected) => {
    const { world, frameAt } = setUp({ intervalMs });
    for (let frame = 0; frame < 300; frame++) await frameAt((1000 * frame) / 30);
    expect(world.sent.length / 10).toBeCloseTo(expected, 0);
  });

  it("looks for faces between two frames that are sent, so that the boxes follow", async () => {
    const { world, frameAt } = setUp({ intervalMs: 500 });
    for (const time of [0, 33, 66]) await frameAt(time);
    expect(world.analysed).toBe(3);
    expect(world.cut).toEqual([2]);
    expect(world.trackCounts).toEqual([2, 2, 2]);
  });

  it("goes on looking, but sends nothing, while no frame can be sent", async () => {
    const { world, frameAt } = setUp();
    world.cropLimit = 0;
    await frameAt(0);
    await frameAt(500);
    expect(world.sent).toEqual([]);
    expect(world.trackCounts).toEqual([2, 2]);
  });

  it("sends the largest faces first where there are more than may be sent, then the others", async () => {
    const { world, frameAt } = setUp();
    world.cropLimit = 1;
    for (const time of [0, 100, 200]) await frameAt(time);
    expect(world.sent.flatMap(({ faces }) => faces.map((face) => face.boxXywh[2]))).toEqual([200, 100, 200]);
  });

  it("spends no crop on a detection that is no known face", async () => {
    const doubtful = { boxXywh: [0, 0, 400, 400], score: 0.5 } as const;
    const { world, frameAt } = setUp({
      analysis: { ...FACES, detections: [doubtful, ...FACES.detections] },
    });
    world.cropLimit = 2;
    await frameAt(0);
    expect(world.sent[0]?.faces.map((face) => face.boxXywh[2])).toEqual([200, 100]);
    expect(world.cut).toEqual([2]);
  });

  it("sends nothing where there is no face", async () => {
    const { world, frameAt } = setUp({ analysis: { detections: [], detectMs: 5 } });
    await frameAt(0);
    expect(world.sent).toEqual([]);
    expect(world.trackCounts).toEqual([0]);
  });

  it("reports a failure and takes the next frame all the same", async () => {
    const { world, frameAt } = setUp();
    const working = world.detect;
    world.detect = () => Promise.reject(new Error("context lost"));
    await frameAt(0);
    world.detect = working;
    await frameAt(200);
    expect(world.failures).toEqual([new Error("context lost")]);
    expect(world.sent).toHaveLength(1);
  });
});
