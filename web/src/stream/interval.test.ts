import { describe, expect, it } from "vitest";
import { allowedIntervalMs } from "./interval";

describe("allowedIntervalMs", () => {
  it("slows down to the server's largest rate, and never speeds up", () => {
    expect(allowedIntervalMs(10, 20)).toBe(50);
    expect(allowedIntervalMs(200, 20)).toBe(200);
  });

  it("does without a rate that makes no sense", () => {
    expect(allowedIntervalMs(10, 0)).toBe(10);
  });
});
