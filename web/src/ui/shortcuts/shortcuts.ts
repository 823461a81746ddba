import { useEffect } from "react";
import { createStore, type Store } from "../../engine/store";

/** A key that does something, as long as the component that has it is drawn. */
export interface Shortcut {
  /** As `KeyboardEvent.key` says it; letters in lower case. */
  readonly key: string;
  /** What it does, in the page's language. */
  readonly words: string;
  readonly run: () => void;
}

/** All that hold now, in the order in which they came. */
export const shortcuts: Store<readonly Shortcut[]> = createStore<readonly Shortcut[]>([]);

/** Has a key do something, and the list of shortcuts say so. `run` need not be the same function each time. */
export function useShortcut(key: string, words: string, run: () => void): void {
  useEffect(() => {
    const shortcut: Shortcut = { key, words, run };
    shortcuts.set([...shortcuts.get(), shortcut]);
    return () => shortcuts.set(shortcuts.get().filter((other) => other !== shortcut));
  }, [key, words, run]);
}

/** The shortcut that an event stands for; null where it is text for a field, or meant for the browser. */
export function shortcutFor(
  event: Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey" | "repeat" | "target">,
  all: readonly Shortcut[],
): Shortcut | null {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || takesText(event.target)) return null;
  return all.findLast(({ key }) => key === event.key.toLowerCase()) ?? null;
}

const NOT_FOR_TEXT: ReadonlySet<string> = new Set(["button", "checkbox", "radio", "range"]);

function takesText(target: EventTarget | null): boolean {
  const element = target as Partial<HTMLInputElement> | null;
  const tag = element?.tagName;
  if (tag === "INPUT") return !NOT_FOR_TEXT.has(element?.type ?? "text");
  return tag === "SELECT" || tag === "TEXTAREA" || element?.isContentEditable === true;
}
