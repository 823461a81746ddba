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

export interface CameraAdvice {
  readonly title: string;
  readonly advice: string;
  /** Label of the button that tries again; null where trying again cannot help. */
  readonly retry: string | null;
}

/** What happened and what to do, in plain words. */
export function adviceFor(problem: CameraProblem): CameraAdvice {
  switch (problem) {
    case "refused":
      return {
        title: "The camera is not allowed",
        advice:
          "This page may not use the camera. Allow it with the camera or lock symbol in the browser’s address bar — and in the system’s privacy settings, if it is switched off there — then try again.",
        retry: "Try again",
      };
    case "missing":
      return {
        title: "No camera found",
        advice: "Plug a camera in or switch it on. This page notices a new camera by itself.",
        retry: "Look again",
      };
    case "busy":
      return {
        title: "The camera is in use",
        advice: "Another program holds the camera, perhaps a video call. Close that program, then try again.",
        retry: "Try again",
      };
    case "insecure":
      return {
        title: "The browser hides the camera from this address",
        advice:
          "Browsers give the camera only to secure pages. Open this page with https:// in front, or as http://localhost on the server itself.",
        retry: null,
      };
    case "lost":
      return {
        title: "The camera went away",
        advice:
          "It was unplugged, or the system took it back. Connect it again; this page then carries on by itself.",
        retry: "Reconnect camera",
      };
    case "failed":
      return {
        title: "The camera did not start",
        advice: "Unplug it and plug it in again, or choose another camera, then try again.",
        retry: "Try again",
      };
    default:
      return problem satisfies never;
  }
}
