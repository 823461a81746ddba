import { describe, expect, it } from "vitest";
import { InFlight } from "./inFlight";

describe("InFlight", () => {
  it("has room for two frames, and refuses a third", () => {
    const inFlight = new InFlight();
    inFlight.add(1, 0);
    inFlight.add(2, 0);
    expect(inFlight.hasRoom).toBe(false);
    expect(() => inFlight.add(3, 0)).toThrow(RangeError);
  });

  it("frees a slot for that frame's own answer only", () => {
    const inFlight = new InFlight();
    inFlight.add(1, 0);
    inFlight.add(2, 0);
    expect(inFlight.settle(9)).toBe(false);
    expect(inFlight.hasRoom).toBe(false);
    expect(inFlight.settle(2)).toBe(true);
    expect(inFlight.hasRoom).toBe(true);
  });

  it("frees a slot once only, although two answers come", () => {
    const inFlight = new InFlight();
    inFlight.add(1, 0);
    expect([inFlight.settle(1), inFlight.settle(1)]).toEqual([true, false]);
    expect(inFlight.size).toBe(0);
  });

  it("gives up a frame after five seconds, and not before", () => {
    const inFlight = new InFlight();
    inFlight.add(1, 0);
    inFlight.add(2, 3000);
    expect(inFlight.expire(4999)).toBe(0);
    expect(inFlight.expire(5000)).toBe(1);
    expect(inFlight.size).toBe(1);
  });
});
