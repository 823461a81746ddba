import { describe, expect, it } from "vitest";
import { rememberedSmoothing, rememberSmoothing, type Storage } from "./smoothing";

function storageWith(value: string | null): Storage {
  let stored = value;
  return {
    getItem: () => stored,
    setItem: (_, next) => {
      stored = next;
    },
  };
}

const forbidden: Storage = {
  getItem: () => {
    throw new DOMException("", "SecurityError");
  },
  setItem: () => {
    throw new DOMException("", "QuotaExceededError");
  },
};

describe("rememberedSmoothing", () => {
  it("gives back what was remembered", () => {
    const storage = storageWith(null);
    rememberSmoothing(storage, 0.35);
    expect(rememberedSmoothing(storage)).toBe(0.35);
  });

  it.each([null, "", "1", "-0.1", "0.96", "a lot"])("is null for %j", (value) => {
    expect(rememberedSmoothing(storageWith(value))).toBeNull();
  });

  it("does without a storage that is forbidden or missing", () => {
    expect(rememberedSmoothing(forbidden)).toBeNull();
    expect(rememberedSmoothing(null)).toBeNull();
    expect(() => rememberSmoothing(forbidden, 0.5)).not.toThrow();
  });
});
