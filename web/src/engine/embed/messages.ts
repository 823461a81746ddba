import * as v from "valibot";
import { PARAMETERS, readParameter, type SettingName, type SettingValues } from "../settings/parameters";
import type { ResultFace } from "../../stream/protocol";

/*
 * What a page and the dashboard that it shows in a frame (`?view=embed`) say to each other with `postMessage`.
 * docs/embedding.md is for people; names and meanings within a version stay as they are.
 */

/** What of the settings a page around may change. Never the server, nor the token. */
export const SETTABLE = [
  "interval",
  "smoothing",
  "threshold",
  "faces",
  "mirror",
  "theme",
  "lang",
] as const satisfies readonly SettingName[];

export type EmbedSettings = Partial<Pick<SettingValues, (typeof SETTABLE)[number]>>;

/** To the frame. */
export type EmbedCommand =
  /** Answered by `emostream.state`; from then on states and results come. */
  | { readonly type: "emostream.connect" }
  /** Starts the camera, where the person has agreed to it; else the frame asks, which its state says. */
  | { readonly type: "emostream.start" }
  | { readonly type: "emostream.stop" }
  | { readonly type: "emostream.set"; readonly settings: EmbedSettings };

/** From the frame. */
export type EmbedEvent =
  /** Says nothing but that the frame listens; the only message that goes to whoever is around it. */
  | { readonly type: "emostream.ready"; readonly version: 1 }
  | {
      readonly type: "emostream.state";
      readonly camera: "off" | "asking" | "live" | "problem";
      readonly connection: "idle" | "connecting" | "open" | "waiting" | "closed";
      /** Whether the person has yet to agree before the camera may start. */
      readonly needsConsent: boolean;
    }
  | {
      readonly type: "emostream.result";
      /** Unix time in ms. */
      readonly capturedAt: number;
      readonly faces: readonly ResultFace[];
    };

const command = v.variant("type", [
  v.object({ type: v.literal("emostream.connect") }),
  v.object({ type: v.literal("emostream.start") }),
  v.object({ type: v.literal("emostream.stop") }),
  v.object({
    type: v.literal("emostream.set"),
    settings: v.record(v.string(), v.union([v.string(), v.number(), v.boolean(), v.null()])),
  }),
]);

/** A message from the page around; null where it is none of ours. Settings that are not known, or not its to change, are left out. */
export function parseCommand(data: unknown): EmbedCommand | null {
  const parsed = v.safeParse(command, data);
  if (!parsed.success) return null;
  const message = parsed.output;
  if (message.type !== "emostream.set") return message;
  const entries = SETTABLE.flatMap((name) => {
    const value = message.settings[name];
    if (value === undefined) return [];
    if (value === null) return PARAMETERS[name].fallback === null ? [[name, null] as const] : [];
    const reading = readParameter(name, String(value));
    return reading.kind === "value" ? [[name, reading.value] as const] : [];
  });
  return { type: message.type, settings: Object.fromEntries(entries) };
}
