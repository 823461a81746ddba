/** The part of `localStorage` that is used here. */
export type CameraMemory = Pick<globalThis.Storage, "getItem" | "setItem">;

/** The camera that somebody chose. Its label is kept too: some browsers name devices anew at each visit. */
export interface WantedCamera {
  readonly deviceId: string;
  readonly label: string;
}

const KEY = "emostream.camera";

export function rememberedCamera(memory: CameraMemory | null): WantedCamera | null {
  try {
    const kept: unknown = JSON.parse(memory?.getItem(KEY) ?? "null");
    return isWantedCamera(kept) ? { deviceId: kept.deviceId, label: kept.label } : null;
  } catch {
    return null; // not ours, or storage is forbidden
  }
}

export function rememberCamera(memory: CameraMemory | null, camera: WantedCamera): void {
  try {
    memory?.setItem(KEY, JSON.stringify(camera));
  } catch {
    // Full, or forbidden: the choice holds as long as the page.
  }
}

/** The wanted camera among those that are there now, by its id or else by its label. */
export function findCamera<T extends WantedCamera>(
  cameras: readonly T[],
  wanted: WantedCamera,
): T | undefined {
  return (
    cameras.find(({ deviceId }) => deviceId === wanted.deviceId) ??
    cameras.find(({ label }) => label !== "" && label === wanted.label)
  );
}

/** The first camera that a link means: by its id, its name, or a part of it in upper or lower case. */
export function cameraNamed<T extends WantedCamera>(cameras: readonly T[], name: string): T | undefined {
  const part = name.toLowerCase();
  return (
    cameras.find(({ deviceId, label }) => deviceId === name || label === name) ??
    cameras.find(({ label }) => label.toLowerCase().includes(part))
  );
}

function isWantedCamera(value: unknown): value is WantedCamera {
  return (
    typeof value === "object" &&
    value !== null &&
    "deviceId" in value &&
    typeof value.deviceId === "string" &&
    "label" in value &&
    typeof value.label === "string"
  );
}

/** Null where the browser forbids storage. */
export function browserMemory(): CameraMemory | null {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}
