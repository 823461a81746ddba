/*
 * `@emostream/client`: the stream of an Emostream server, for browsers and Node, and the frame of its page.
 * It is the dashboard's own code; README.md beside the package's manifest says how it is used.
 */
export { connect, type EmotionStream, type StreamOptions } from "./stream";
export { connectFrame, type EmbeddedFrame } from "./frame";
export type { EmbedCommand, EmbedEvent, EmbedSettings } from "../engine/embed/messages";
export type { CloseReason, ConnectionState, LossCause } from "../stream/connectionState";
export type { FaceCrop, Frame } from "../stream/envelope";
export type {
  ErrorMessage,
  Quality,
  Receipt,
  ResultFace,
  ResultMessage,
  SessionConfig,
  SessionCreated,
  Timing,
} from "../stream/protocol";
