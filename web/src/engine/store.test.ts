import { describe, expect, it } from "vitest";
import { createStore } from "./store";

describe("createStore", () => {
  it("tells its listeners of a new value, and of nothing else", () => {
    const store = createStore(1);
    let calls = 0;
    store.subscribe(() => calls++);
    store.set(2);
    store.set(2);
    expect(store.get()).toBe(2);
    expect(calls).toBe(1);
  });

  it("tells nobody who has unsubscribed", () => {
    const store = createStore(1);
    let calls = 0;
    store.subscribe(() => calls++)();
    store.set(2);
    expect(calls).toBe(0);
  });
});
