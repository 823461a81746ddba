import type { ResultMessage } from "../../stream/protocol";
import type { Live } from "../live";
import { type EmbedCommand, type EmbedEvent, parseCommand } from "./messages";

/** The window of the frame, as far as it is used here. */
export interface FrameWindow {
  readonly parent: { postMessage(message: unknown, targetOrigin: string): void };
  addEventListener(type: "message", listener: (event: MessageEvent) => void): void;
}

/** The part of `Live` that a page around may use. */
export type Embeddable = Pick<Live, "stores" | "settings" | "startCamera" | "stopCamera"> & {
  onResult(listener: (result: ResultMessage) => void): () => void;
};

/**
 * Obeys the page around this frame, and tells it what happens here. Only the origins that the server lets show this
 * page in a frame are listened to, and nothing is sent before one of them has asked.
 */
export function startEmbedding(live: Embeddable, frame: FrameWindow): void {
  let partner: string | null = null;
  const tell = (event: EmbedEvent, origin = partner) => {
    if (origin !== null) frame.parent.postMessage(event, origin);
  };
  const tellState = () =>
    tell({
      type: "emostream.state",
      camera: live.stores.source.get().kind,
      connection: live.stores.connection.get().kind,
      needsConsent: !live.stores.consent.get(),
    });

  frame.addEventListener("message", (event) => {
    if (event.source !== frame.parent || !mayEmbed(live, event.origin)) return;
    const command = parseCommand(event.data);
    if (command === null) return;
    if (partner !== event.origin) partner = event.origin;
    obey(live, command);
    tellState();
  });
  live.stores.source.subscribe(tellState);
  live.stores.connection.subscribe(tellState);
  live.stores.consent.subscribe(tellState);
  live.onResult(({ captured_at, faces }) => {
    tell({ type: "emostream.result", capturedAt: captured_at ?? Date.now(), faces });
  });

  // The server's list of origins comes with what it says of itself: before that, nobody would be listened to.
  const ready = () => tell({ type: "emostream.ready", version: 1 }, "*");
  if (live.stores.about.get() !== null) ready();
  const stop = live.stores.about.subscribe(() => {
    if (live.stores.about.get() === null) return;
    stop();
    ready();
  });
}

function mayEmbed(live: Embeddable, origin: string): boolean {
  const allowed = live.stores.about.get()?.frame_ancestors ?? [];
  return allowed.includes("*") || allowed.includes(origin);
}

function obey(live: Embeddable, command: EmbedCommand): void {
  switch (command.type) {
    case "emostream.connect":
      return;
    case "emostream.start":
      // The person agrees in the frame, and not the page around it in their place.
      if (live.stores.consent.get()) live.startCamera();
      return;
    case "emostream.stop":
      live.stopCamera();
      return;
    case "emostream.set":
      for (const [name, value] of Object.entries(command.settings)) {
        live.settings.set(name as keyof typeof command.settings, value);
      }
      return;
    default:
      command satisfies never;
  }
}
