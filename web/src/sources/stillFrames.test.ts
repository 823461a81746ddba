import { describe, expect, it } from "vitest";
import { isDone } from "./stillFrames";

describe("isDone", () => {
  it("looks on while the detector or the server is not ready", () => {
    expect(isDone({ analysed: 0, sendable: 0, answered: true })).toBe(false);
    expect(isDone({ analysed: 400, sendable: 0, answered: true })).toBe(false);
  });

  it("looks more than once before it believes that there is no face", () => {
    expect(isDone({ analysed: 2, sendable: 2, answered: true })).toBe(false);
    expect(isDone({ analysed: 5, sendable: 3, answered: true })).toBe(true);
  });

  it("waits for the answer about each face", () => {
    expect(isDone({ analysed: 12, sendable: 10, answered: false })).toBe(false);
  });

  it("gives up on faces that the server leaves out", () => {
    expect(isDone({ analysed: 30, sendable: 25, answered: false })).toBe(true);
  });
});
