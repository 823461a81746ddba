import type { SizePx } from "../detection/box";

export type SourceKind = "camera" | "screen" | "video" | "image";

export interface CameraChoice {
  readonly deviceId: string;
  readonly label: string;
}

/** Why there is no picture although one is wanted. Each has its own words and its own remedy. */
export type CameraProblem = "refused" | "missing" | "busy" | "insecure" | "lost" | "failed";

/** What can be wrong with a file or a screen. */
export type OtherProblem = "not_media" | "unreadable" | "too_large" | "no_sharing" | "sharing_failed";

export type SourceProblem =
  | { readonly source: "camera"; readonly problem: CameraProblem; readonly detail: string }
  | {
      readonly source: Exclude<SourceKind, "camera">;
      readonly problem: OtherProblem;
      readonly detail: string;
    };

/** The camera beside the first one. */
export type SecondCamera =
  | { readonly kind: "none" }
  | { readonly kind: "live"; readonly deviceId: string }
  | { readonly kind: "problem"; readonly deviceId: string; readonly problem: CameraProblem };

/** Something that gives pictures. A file's `url` leads to what the browser holds, and nowhere else. */
export type LiveSource =
  | {
      readonly source: "camera";
      readonly stream: MediaStream;
      readonly deviceId: string;
      readonly second: SecondCamera;
      readonly size: SizePx;
    }
  | { readonly source: "screen"; readonly stream: MediaStream }
  | { readonly source: "video" | "image"; readonly url: string; readonly name: string };

export type SourceState =
  | { readonly kind: "off" }
  | { readonly kind: "asking"; readonly source: "camera" | "screen" }
  | ({ readonly kind: "live" } & LiveSource)
  | ({ readonly kind: "problem" } & SourceProblem);

/** Where pictures come from: one of the ways, on until `stop`. */
export interface Source {
  readonly kind: SourceKind;
  start(): Promise<void>;
  /** Lets go of the device or file. */
  stop(): void;
}

export type OnSourceState = (state: SourceState) => void;

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

/** Whether faces are drawn as in a mirror: people know themselves so, but not a film or a screen. */
export function isMirrored(state: SourceState): boolean {
  return state.kind === "live" && state.source === "camera";
}
