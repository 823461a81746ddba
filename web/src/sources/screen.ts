import type { OnSourceState, Source } from "./sourceState";

/** The part of `navigator.mediaDevices` that shares a screen; phones lack it. */
export type ScreenMedia = Partial<Pick<MediaDevices, "getDisplayMedia">>;

/** A screen, a window or a tab, as long as it is shared. The browser asks which, each time. */
export class Screen implements Source {
  readonly kind = "screen";
  readonly #stream: MediaStream;
  readonly #onState: OnSourceState;

  private constructor(stream: MediaStream, onState: OnSourceState) {
    this.#stream = stream;
    this.#onState = onState;
  }

  /**
   * To be called while a click is handled: browsers insist on one.
   *
   * @returns null where the person decides against it
   * @throws Error where this browser or system cannot share a screen
   */
  static async ask(media: ScreenMedia | undefined, onState: OnSourceState): Promise<Screen | null> {
    if (media?.getDisplayMedia === undefined) throw new SharingUnsupportedError();
    try {
      return new Screen(await media.getDisplayMedia({ video: true, audio: false }), onState);
    } catch (error) {
      if (error instanceof DOMException && error.name === "NotAllowedError") return null;
      throw error;
    }
  }

  async start(): Promise<void> {
    for (const track of this.#stream.getVideoTracks()) {
      // The person has ended it, with the browser's own button.
      track.addEventListener("ended", () => this.#onState({ kind: "off" }));
    }
    this.#onState({ kind: "live", source: "screen", stream: this.#stream });
  }

  stop(): void {
    for (const track of this.#stream.getTracks()) track.stop();
    this.#onState({ kind: "off" });
  }
}

export class SharingUnsupportedError extends Error {
  override readonly name = "SharingUnsupportedError";
}
