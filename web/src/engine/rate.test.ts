import { describe, expect, it } from "vitest";
import { type FrameFate, type RateConditions, RateMeter } from "./rate";

const CONDITIONS: RateConditions = { intervalMs: 50, serverMaxPerSecond: 100, serverMs: 5, ageMs: 30 };

/** Ten seconds of video at 30 frames a second, of which every n-th has the given fates in turn. */
function read(fates: readonly FrameFate[], conditions: Partial<RateConditions> = {}) {
  const meter = new RateMeter();
  for (let frame = 0; frame < 300; frame++) {
    meter.add(fates[frame % fates.length] ?? "passed", frame * (1000 / 30));
  }
  return meter.read(10_000, { ...CONDITIONS, ...conditions });
}

describe("RateMeter", () => {
  it("tells the rate that is reached, and that the setting is what limits it", () => {
    const rate = read(["sent", "passed", "passed"], { intervalMs: 100 });
    expect(rate?.sentPerSecond).toBeCloseTo(10, 0);
    expect(rate?.limitedBy).toBe("setting");
  });

  it.each([
    ["the server's own limit", ["sent", "passed", "passed"], { serverMaxPerSecond: 10 }, "server_limit"],
    ["a busy detector", ["sent", "detector_busy", "detector_busy"], {}, "detector"],
    ["a slow network", ["sent", "stream_busy", "passed"], { serverMs: 5, ageMs: 200 }, "network"],
    ["a busy server", ["sent", "stream_busy", "passed"], { serverMs: 150, ageMs: 200 }, "server"],
    ["a slow camera", ["sent"], { intervalMs: 10 }, "camera"],
  ] as const)("finds %s", (_name, fates, conditions, limitedBy) => {
    expect(read(fates, conditions)?.limitedBy).toBe(limitedBy);
  });

  it("has nothing to say while nothing is sent", () => {
    expect(read(["passed"])).toBeNull();
    expect(new RateMeter().read(0, CONDITIONS)).toBeNull();
  });

  it("forgets what was long ago", () => {
    const meter = new RateMeter();
    meter.add("sent", 0);
    expect(meter.read(60_000, CONDITIONS)).toBeNull();
  });
});
