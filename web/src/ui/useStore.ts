import { useSyncExternalStore } from "react";
import type { Store } from "../engine/store";

/**
 * The part of a store that a component shows; it is drawn again only when that part changes.
 *
 * @param select must give the same reference for the same value: a field, not a new object
 */
export function useStore<T, S>(store: Store<T>, select: (value: T) => S): S {
  return useSyncExternalStore(store.subscribe, () => select(store.get()));
}
