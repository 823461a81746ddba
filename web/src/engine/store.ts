/** A value that can be watched. Set it to a new object to change it; an equal reference tells nobody. */
export interface Store<T> {
  readonly get: () => T;
  readonly set: (value: T) => void;
  /** Returns what stops the calls. */
  readonly subscribe: (listener: () => void) => () => void;
}

export function createStore<T>(initial: T): Store<T> {
  let value = initial;
  const listeners = new Set<() => void>();
  return {
    get: () => value,
    set: (next) => {
      if (Object.is(value, next)) return;
      value = next;
      for (const listener of listeners) listener();
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/**
 * Calls the listener with a part of a store's value whenever that part changes.
 *
 * @returns what stops the calls
 */
export function onChange<T, P>(
  store: Store<T>,
  part: (value: T) => P,
  listener: (changed: P) => void,
): () => void {
  let known = part(store.get());
  return store.subscribe(() => {
    const now = part(store.get());
    if (Object.is(now, known)) return;
    known = now;
    listener(now);
  });
}
