import { describe, expect, it } from "vitest";
import type { BackendName } from "./backends";
import { DetectorKeeper, type DetectorStatus } from "./detectorKeeper";
import type { CreateDetector } from "./detectorKinds";
import { DetectorHungError, DetectorStoppedError, type FaceDetector } from "./faceDetector";

type Speeds = Partial<Record<BackendName, number>>;

/** Detectors that take the given ms per frame; a backend without a number does not work. */
function fakeKind(speeds: Speeds, where: FaceDetector["where"] = "worker") {
  const running = new Set<BackendName>();
  const created: BackendName[] = [];
  const create: CreateDetector = async (backend) => {
    created.push(backend);
    return detectorOn(backend);
  };
  const detectorOn = (backend: BackendName): FaceDetector => ({
    backend,
    where,
    start: async () => {
      const medianMs = speeds[backend];
      if (medianMs === undefined) throw new Error("not here");
      running.add(backend);
      return { kind: "measured", backend, startMs: 1, medianMs };
    },
    analyse: async () => ({ detections: [], detectMs: 1 }),
    cut: async () => [],
    stop: () => {
      running.delete(backend);
    },
  });
  return { create, created, running, speeds };
}

function keep(backends: readonly BackendName[], ...kinds: ReturnType<typeof fakeKind>[]) {
  const seen: DetectorStatus[] = [];
  const keeper = new DetectorKeeper(
    backends,
    kinds.map((kind) => kind.create),
  );
  return { keeper, seen, started: keeper.start((status) => seen.push(status)) };
}

const ALL = ["wasm", "webgl", "webgpu"] as const;

describe("DetectorKeeper", () => {
  it("ends up with the fastest backend, and with no other still running", async () => {
    const kind = fakeKind({ wasm: 40, webgl: 900, webgpu: 5 });
    const { keeper, started } = keep(ALL, kind);
    await started;
    expect(keeper.current?.backend).toBe("webgpu");
    expect([...kind.running]).toEqual(["webgpu"]);
  });

  it("does not even load the others where the first is fast enough", async () => {
    const kind = fakeKind({ wasm: 9, webgl: 5 });
    const { seen, started } = keep(ALL, kind);
    await started;
    expect(kind.created).toEqual(["wasm"]);
    expect(seen.at(-1)).toMatchObject({ kind: "ready", backend: "wasm", reports: [{ medianMs: 9 }] });
  });

  it("tries one that was not needed before when the one in use breaks down", async () => {
    const kind = fakeKind({ wasm: 9, webgl: 15 });
    const { keeper, started } = keep(ALL, kind);
    await started;
    await keeper.onFailure(new DetectorHungError("no answer"));
    expect(keeper.current?.backend).toBe("webgl");
  });

  it("works with the first backend while the others are still being measured", async () => {
    const { seen, started } = keep(ALL, fakeKind({ wasm: 40, webgl: 900 }));
    await started;
    expect(seen.map((status) => status.kind)).toEqual(["starting", "ready", "ready", "ready"]);
    expect(seen.at(-1)).toMatchObject({
      backend: "wasm",
      reports: [{ medianMs: 40 }, { medianMs: 900 }, { kind: "failed", reason: "not here" }],
    });
  });

  it("goes on to the next way of running where no backend works with the first", async () => {
    const { keeper, started } = keep(ALL, fakeKind({}), fakeKind({ wasm: 60 }, "main thread"));
    await started;
    expect(keeper.current?.where).toBe("main thread");
  });

  it("says so where nothing works, and can be started again", async () => {
    const kind = fakeKind({});
    const { keeper, seen, started } = keep(ALL, kind);
    await started;
    expect(seen.at(-1)?.kind).toBe("failed");
    kind.speeds.wasm = 30;
    await keeper.start(() => {});
    expect(keeper.current?.backend).toBe("wasm");
  });

  it("moves to the next fastest backend when the one in use hangs", async () => {
    const kind = fakeKind({ wasm: 40, webgl: 8 });
    const { keeper, seen, started } = keep(ALL, kind);
    await started;
    await keeper.onFailure(new DetectorHungError("no answer"));
    expect(keeper.current?.backend).toBe("wasm");
    expect(seen.at(-1)).toMatchObject({ kind: "ready", backend: "wasm" });
    expect([...kind.running]).toEqual(["wasm"]);
  });

  it("bears single failures, but not five in a row", async () => {
    const { keeper, started } = keep(ALL, fakeKind({ wasm: 40, webgl: 8 }));
    await started;
    const broken = new Error("context lost");
    for (let frame = 0; frame < 4; frame++) await keeper.onFailure(broken);
    keeper.onSuccess();
    for (let frame = 0; frame < 4; frame++) await keeper.onFailure(broken);
    expect(keeper.current?.backend).toBe("webgl");
    await keeper.onFailure(broken);
    expect(keeper.current?.backend).toBe("wasm");
  });

  it("does not hold it against a detector that it was stopped", async () => {
    const { keeper, started } = keep(ALL, fakeKind({ wasm: 40 }));
    await started;
    for (let frame = 0; frame < 9; frame++) await keeper.onFailure(new DetectorStoppedError());
    expect(keeper.current?.backend).toBe("wasm");
  });

  it("fails when the last backend has broken down", async () => {
    const { keeper, seen, started } = keep(["wasm"], fakeKind({ wasm: 40 }));
    await started;
    await keeper.onFailure(new DetectorHungError("no answer"));
    expect(keeper.current).toBeNull();
    expect(seen.at(-1)).toMatchObject({ kind: "failed", reports: [{ kind: "failed", reason: "no answer" }] });
  });

  it("leaves nothing running when it is stopped while measuring", async () => {
    const kind = fakeKind({ wasm: 40, webgl: 8 });
    const { keeper, seen, started } = keep(ALL, kind);
    keeper.stop();
    await started;
    expect([...kind.running]).toEqual([]);
    expect(seen.at(-1)?.kind).toBe("off");
  });
});
