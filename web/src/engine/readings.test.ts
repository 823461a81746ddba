import { describe, expect, it } from "vitest";
import { NO_READINGS, ReadingsMeter } from "./readings";
import { resultOf } from "./testing";

const { timing } = resultOf([1]);

describe("ReadingsMeter", () => {
  it("reads nothing before the first answer", () => {
    expect(new ReadingsMeter().read(0)).toEqual(NO_READINGS);
  });

  it.each([50, 100, 500])("counts an answer every %d ms", (spacingMs) => {
    const meter = new ReadingsMeter();
    for (let time = 0; time <= 10_000; time += spacingMs) meter.add(time, 40, timing);
    const { answersPerSecond, ageMs } = meter.read(10_000);
    expect(answersPerSecond).toBeCloseTo(1000 / spacingMs, 0);
    expect(ageMs).toBe(40);
  });

  it("does not count the empty part of the window right after the start", () => {
    const meter = new ReadingsMeter();
    for (let time = 0; time <= 500; time += 100) meter.add(time, 40, timing);
    expect(meter.read(500).answersPerSecond).toBeCloseTo(12, 0);
  });

  it("gives the median age of the last second", () => {
    const meter = new ReadingsMeter();
    meter.add(0, 5000, timing);
    for (const [time, age] of [
      [1500, 30],
      [1600, 900],
      [1700, 50],
    ] as const) {
      meter.add(time, age, timing);
    }
    expect(meter.read(1800).ageMs).toBe(50);
  });

  it("reads nothing again once no answer has come for a while", () => {
    const meter = new ReadingsMeter();
    meter.add(0, 40, timing);
    expect(meter.read(2000)).toEqual(NO_READINGS);
  });

  it("tells what the latest detection took, answers or none", () => {
    const meter = new ReadingsMeter();
    meter.detected(12);
    expect(meter.read(0).detectMs).toBe(12);
    meter.detected(8);
    meter.add(0, 40, timing);
    expect(meter.read(100).detectMs).toBe(8);
  });
});
