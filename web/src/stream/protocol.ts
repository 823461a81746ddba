import * as v from "valibot";
import reconnectRule from "../../../server/protocol/reconnect.json";

/*
 * The dashboard's one copy of the streaming protocol, version 1. Names are the wire's own.
 * Objects drop fields that they do not know, so a newer server can say more.
 */

const probabilities = v.record(v.string(), v.number());
const boxXywh = v.tuple([v.number(), v.number(), v.number(), v.number()]);
const sessionConfig = v.object({ smoothing: v.number(), max_faces: v.number() });

const sessionCreated = v.object({
  type: v.literal("session.created"),
  protocol: v.number(),
  session_id: v.string(),
  model: v.object({ name: v.string(), labels: v.pipe(v.array(v.string()), v.minLength(1)) }),
  config: sessionConfig,
  /** Whether `POST /v1/corrections` keeps crops; left out where it does not. */
  corrections: v.optional(v.boolean()),
  limits: v.object({
    max_message_bytes: v.number(),
    max_pixels: v.number(),
    max_faces: v.number(),
    max_frames_per_second: v.number(),
  }),
});

const sessionUpdated = v.object({ type: v.literal("session.updated"), config: sessionConfig });

/** What a session has sent and what of it was kept; times are Unix time in ms. */
const receipt = v.object({
  session_id: v.string(),
  started_at: v.number(),
  at: v.number(),
  bytes_received: v.number(),
  frames_received: v.number(),
  images_kept: v.number(),
});

const sessionReceipt = v.object({ type: v.literal("session.receipt"), ...receipt.entries });

const sessionClosed = v.object({
  type: v.literal("session.closed"),
  reason: v.string(),
  receipt: v.nullish(receipt),
});

/** How well a face can be seen; what is not known is left out. docs/quality.md has units and signs. */
const quality = v.object({
  sharpness: v.number(),
  brightness: v.number(),
  size_px: v.nullish(v.number()),
  roll_deg: v.nullish(v.number()),
  yaw_deg: v.nullish(v.number()),
  pitch_deg: v.nullish(v.number()),
  visible: v.nullish(v.number()),
});

const result = v.object({
  type: v.literal("result"),
  frame_id: v.number(),
  captured_at: v.nullish(v.number()),
  faces: v.array(
    v.object({
      face_id: v.number(),
      box: v.nullish(boxXywh),
      emotion: v.string(),
      confidence: v.number(),
      predictions: probabilities,
      quality: v.optional(quality),
      /** Older servers say neither this nor why. */
      uncertain: v.optional(v.boolean()),
      reasons: v.optional(v.array(v.string())),
    }),
  ),
  timing: v.object({
    queue_ms: v.number(),
    inference_ms: v.number(),
    total_ms: v.number(),
    batch_size: v.number(),
  }),
});

const dropped = v.object({ type: v.literal("dropped"), frame_id: v.number(), reason: v.string() });

const error = v.object({
  type: v.literal("error"),
  code: v.string(),
  message: v.string(),
  frame_id: v.nullish(v.number()),
  retryable: v.optional(v.boolean(), false),
});

const serverMessage = v.variant("type", [
  sessionCreated,
  sessionUpdated,
  sessionReceipt,
  sessionClosed,
  result,
  dropped,
  error,
]);

export type ServerMessage = v.InferOutput<typeof serverMessage>;
export type SessionCreated = v.InferOutput<typeof sessionCreated>;
export type SessionConfig = v.InferOutput<typeof sessionConfig>;
export type ResultMessage = v.InferOutput<typeof result>;
export type ResultFace = ResultMessage["faces"][number];
export type Quality = v.InferOutput<typeof quality>;
export type Timing = ResultMessage["timing"];
export type Receipt = v.InferOutput<typeof receipt>;
export type ErrorMessage = v.InferOutput<typeof error>;

/** To the server, as text. */
export type ClientMessage =
  | { readonly type: "session.update"; readonly config: Partial<SessionConfig> }
  | { readonly type: "session.receipt" }
  | { readonly type: "session.close" };

/** Close codes after which the client comes back; server/protocol/reconnect.json is the rule of all clients. */
export const RECONNECT_CODES: ReadonlySet<number> = new Set(reconnectRule.retry_close_codes);

export const CLOSE_UNAUTHORIZED = 4401;
export const CLOSE_POLICY = 1008;

/** Error code that comes before close code 1013 where the server has no room. */
export const ERROR_TOO_MANY_SESSIONS = "too_many_sessions";

/** A text message of the server; null where it is of a type that this client does not know, or no message at all. */
export function parseServerMessage(text: string): ServerMessage | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const parsed = v.safeParse(serverMessage, value);
  return parsed.success ? parsed.output : null;
}
