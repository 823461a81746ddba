import { describe, expect, it } from "vitest";
import { createStore, onChange } from "./store";

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

describe("onChange", () => {
  it("tells of a part that has changed, and of no other, until it is stopped", () => {
    const store = createStore({ left: 1, right: 1 });
    const told: number[] = [];
    const stop = onChange(
      store,
      ({ left }) => left,
      (left) => told.push(left),
    );
    store.set({ left: 2, right: 1 });
    store.set({ left: 2, right: 5 });
    stop();
    store.set({ left: 3, right: 5 });
    expect(told).toEqual([2]);
  });
});
