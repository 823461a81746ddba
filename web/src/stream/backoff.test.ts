import { describe, expect, it } from "vitest";
import { reconnectDelayMs } from "./backoff";

describe("reconnectDelayMs", () => {
  it("waits half a second to a second at first", () => {
    expect(reconnectDelayMs(0, 0)).toBe(500);
    expect(reconnectDelayMs(0, 0.999)).toBeLessThan(1000);
  });

  it("waits 1.6 times longer each time", () => {
    expect(reconnectDelayMs(1, 0) / reconnectDelayMs(0, 0)).toBeCloseTo(1.6);
    expect(reconnectDelayMs(3, 0.5) / reconnectDelayMs(2, 0.5)).toBeCloseTo(1.6);
  });

  it("never waits longer than ten seconds", () => {
    expect(reconnectDelayMs(1000, 0.999)).toBeLessThanOrEqual(10_000);
    expect(reconnectDelayMs(1000, 0)).toBe(5000);
  });
});
