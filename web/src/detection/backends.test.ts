import { describe, expect, it } from "vitest";
import { isBackendName, measureBackend, rankBackends } from "./backends";

/** A clock that only moves when something takes time. */
function fakeWork(loadMs: number, detectMs: readonly number[]) {
  let time = 0;
  let calls = 0;
  return {
    now: () => time,
    load: async () => {
      time += loadMs;
    },
    detect: async () => {
      time += detectMs[Math.min(calls++, detectMs.length - 1)] ?? 0;
    },
    calls: () => calls,
  };
}

describe("measureBackend", () => {
  it("counts the first detection as part of the start, and gives the median of the others", async () => {
    const work = fakeWork(200, [900, 40, 20, 30, 500, 25]);
    const speed = await measureBackend("webgl", work.load, work.detect, work.now);
    expect(speed).toEqual({ kind: "measured", backend: "webgl", startMs: 1100, medianMs: 30 });
  });

  it("times a slow backend only once", async () => {
    const work = fakeWork(0, [1500]);
    const speed = await measureBackend("webgl", work.load, work.detect, work.now);
    expect(work.calls()).toBe(2);
    expect(speed.medianMs).toBe(1500);
  });

  it("rejects with the reason where the backend does not load", async () => {
    const load = () => Promise.reject(new Error("no such device"));
    await expect(measureBackend("webgpu", load, async () => {})).rejects.toThrow("no such device");
  });
});

describe("rankBackends", () => {
  it("puts the fastest first and leaves out what does not work", () => {
    expect(
      rankBackends([
        { kind: "measured", backend: "wasm", startMs: 1, medianMs: 40 },
        { kind: "failed", backend: "webgpu", reason: "none" },
        { kind: "measured", backend: "webgl", startMs: 9, medianMs: 8 },
      ]),
    ).toEqual(["webgl", "wasm"]);
  });
});

describe("isBackendName", () => {
  it("knows the backends by name", () => {
    expect(isBackendName("wasm")).toBe(true);
    expect(isBackendName("cpu")).toBe(false);
    expect(isBackendName(null)).toBe(false);
  });
});
