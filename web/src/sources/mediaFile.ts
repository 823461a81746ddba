import type { OnSourceState, OtherProblem, Source } from "./sourceState";

/** An image of more pixels than this is not decoded: it would take more memory than many devices have. */
const MAX_IMAGE_PX = 100_000_000;

/** What the browser says of a file's content. Replaced in tests. */
export interface MediaDecoder {
  /** @returns width × height. @throws where it is no image that the browser can read */
  imagePixels(url: string): Promise<number>;
  /** @throws where it is no video that the browser can play */
  playVideo(url: string): Promise<void>;
}

/** A video or an image from this device. It stays here: only crops of its faces are sent, as from a camera. */
export class MediaFile implements Source {
  readonly kind: "video" | "image";
  readonly #name: string;
  readonly #url: string;
  readonly #decoder: MediaDecoder;
  readonly #onState: OnSourceState;
  #stopped = false;

  /** @returns null where the file is neither a video nor an image, by what its system says of it */
  static of(file: File, onState: OnSourceState, decoder: MediaDecoder = browserDecoder): MediaFile | null {
    const [type] = file.type.split("/");
    return type === "video" || type === "image" ? new MediaFile(type, file, onState, decoder) : null;
  }

  private constructor(kind: "video" | "image", file: File, onState: OnSourceState, decoder: MediaDecoder) {
    this.kind = kind;
    this.#name = file.name;
    this.#url = URL.createObjectURL(file);
    this.#decoder = decoder;
    this.#onState = onState;
  }

  async start(): Promise<void> {
    try {
      if (this.kind === "video") {
        await this.#decoder.playVideo(this.#url);
      } else if ((await this.#decoder.imagePixels(this.#url)) > MAX_IMAGE_PX) {
        this.#fail("too_large");
        return;
      }
      if (!this.#stopped) {
        this.#onState({ kind: "live", source: this.kind, url: this.#url, name: this.#name });
      }
    } catch {
      this.#fail("unreadable");
    }
  }

  stop(): void {
    this.#stopped = true;
    URL.revokeObjectURL(this.#url);
    this.#onState({ kind: "off" });
  }

  #fail(problem: OtherProblem): void {
    if (!this.#stopped) this.#onState({ kind: "problem", source: this.kind, problem, detail: this.#name });
  }
}

const browserDecoder: MediaDecoder = {
  async imagePixels(url) {
    const image = Object.assign(new Image(), { src: url });
    await image.decode();
    return image.naturalWidth * image.naturalHeight;
  },

  async playVideo(url) {
    const video = Object.assign(document.createElement("video"), { preload: "metadata", muted: true });
    await new Promise<void>((resolve, reject) => {
      video.onloadeddata = () => (video.videoWidth > 0 ? resolve() : reject(new Error("no picture")));
      video.onerror = () => reject(new Error(video.error?.message ?? "not a video"));
      Object.assign(video, { preload: "auto", src: url });
    });
    video.removeAttribute("src");
    video.load();
  },
};
