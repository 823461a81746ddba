import type { EmbedCommand, EmbedEvent } from "../engine/embed/messages";

/** The dashboard in a frame (`?view=embed`) of the page that runs this. */
export interface EmbeddedFrame {
  say(command: EmbedCommand): void;
  /** Stops listening. */
  dispose(): void;
}

/**
 * Listens to the dashboard in a frame, and connects to it as soon as it is there.
 *
 * @param frame whose address is the server's, with `?view=embed`; it needs `allow="camera"`
 * @param onEvent states and results
 */
export function connectFrame(frame: HTMLIFrameElement, onEvent: (event: EmbedEvent) => void): EmbeddedFrame {
  const { origin } = new URL(frame.src);
  const say = (command: EmbedCommand) => frame.contentWindow?.postMessage(command, origin);
  const listen = ({ source, origin: from, data }: MessageEvent<EmbedEvent>) => {
    if (source !== frame.contentWindow || from !== origin) return;
    if (data.type === "emostream.ready") say({ type: "emostream.connect" });
    onEvent(data);
  };
  window.addEventListener("message", listen);
  // Where the frame was there first, its word that it is ready has gone by.
  say({ type: "emostream.connect" });
  return { say, dispose: () => window.removeEventListener("message", listen) };
}
