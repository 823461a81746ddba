import type { SizePx } from "../detection/box";

export interface CameraChoice {
  readonly deviceId: string;
  readonly label: string;
}

/** Why there is no picture although one is wanted. Each has its own words and its own remedy. */
export type CameraProblem = "refused" | "missing" | "busy" | "insecure" | "lost" | "failed";

export type CameraState =
  | { readonly kind: "off" }
  | { readonly kind: "asking" }
  | { readonly kind: "live"; readonly stream: MediaStream; readonly deviceId: string; readonly size: SizePx }
  | { readonly kind: "problem"; readonly problem: CameraProblem; readonly detail: string };

/** Problems that the plugging or unplugging of a device can solve. */
export const SOLVED_BY_DEVICE_CHANGE: ReadonlySet<CameraProblem> = new Set([
  "missing",
  "busy",
  "lost",
  "failed",
]);

/** Which problem a rejection of `getUserMedia` stands for. */
export function problemOf(error: unknown): CameraProblem {
  const name = error instanceof Error || error instanceof DOMException ? error.name : "";
  switch (name) {
    case "NotAllowedError":
    case "SecurityError":
      return "refused";
    case "NotFoundError":
    case "OverconstrainedError":
      return "missing";
    case "NotReadableError":
    case "AbortError":
      return "busy";
    default:
      return "failed";
  }
}
