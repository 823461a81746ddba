/** The slider's range; the protocol allows [0, 1). */
export const MAX_SMOOTHING = 0.95;

const KEY = "emostream.smoothing";

/** The part of `localStorage` that is used here. */
export type Storage = Pick<globalThis.Storage, "getItem" | "setItem">;

/** What the person chose on an earlier visit, in [0, 0.95]; null where nothing is remembered. */
export function rememberedSmoothing(storage: Storage | null): number | null {
  const text = read(storage);
  const value = text === null || text === "" ? Number.NaN : Number(text);
  return value >= 0 && value <= MAX_SMOOTHING ? value : null;
}

export function rememberSmoothing(storage: Storage | null, smoothing: number): void {
  try {
    storage?.setItem(KEY, String(smoothing));
  } catch {
    // Full or forbidden: the setting then lasts until the page is closed.
  }
}

function read(storage: Storage | null): string | null {
  try {
    return storage?.getItem(KEY) ?? null;
  } catch {
    return null;
  }
}

/** `localStorage`; null where the browser refuses even to name it, as it does with cookies blocked. */
export function browserStorage(): Storage | null {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}
