import { describe, expect, it } from "vitest";
import { clock, MIN_SPAN_MS, moved, rulerS, zoomed } from "./span";

const ALL = { fromMs: 0, toMs: 100_000 };

describe("zoomed", () => {
  it("keeps the moment under the pointer where it is", () => {
    expect(zoomed({ fromMs: 0, toMs: 100_000 }, 25_000, 0.5, ALL)).toEqual({ fromMs: 12_500, toMs: 62_500 });
  });

  it("shows neither more than there is, nor less than can be seen", () => {
    expect(zoomed({ fromMs: 40_000, toMs: 60_000 }, 50_000, 100, ALL)).toEqual(ALL);
    const closest = zoomed({ fromMs: 0, toMs: 10_000 }, 0, 0.001, ALL);
    expect(closest.toMs - closest.fromMs).toBe(MIN_SPAN_MS);
  });
});

describe("moved", () => {
  it("stops at both ends", () => {
    expect(moved({ fromMs: 10_000, toMs: 20_000 }, -50_000, ALL)).toEqual({ fromMs: 0, toMs: 10_000 });
    expect(moved({ fromMs: 10_000, toMs: 20_000 }, 500_000, ALL)).toEqual({ fromMs: 90_000, toMs: 100_000 });
  });
});

describe("rulerS", () => {
  it("takes round steps from seconds to hours", () => {
    expect(rulerS(0.4, 5.2, 6)).toEqual([1, 2, 3, 4, 5]);
    expect(rulerS(0, 3600, 6)).toEqual([0, 600, 1200, 1800, 2400, 3000, 3600]);
    expect(rulerS(0, 4 * 3600, 5)).toEqual([0, 3600, 7200, 10_800, 14_400]);
  });
});

describe("clock", () => {
  it("says hours only where there are any", () => {
    expect([7, 200, 3723].map(clock)).toEqual(["0:07", "3:20", "1:02:03"]);
  });
});
