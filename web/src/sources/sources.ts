import { Camera, type JoinStreams, type MediaDevicesLike } from "./camera";
import { type MediaDecoder, MediaFile } from "./mediaFile";
import type { CameraMemory } from "./rememberedCamera";
import { Screen, type ScreenMedia, SharingUnsupportedError } from "./screen";
import type { CameraChoice, Source, SourceState } from "./sourceState";

export interface SourcesOptions {
  /** Undefined where the browser withholds devices, as it does from insecure pages. */
  readonly media: (MediaDevicesLike & ScreenMedia) | undefined;
  readonly memory: CameraMemory | null;
  /** The camera to begin with, by its name, a part of it, or its id; null: the remembered one. */
  readonly cameraName?: string | null;
  readonly join: JoinStreams;
  readonly decoder?: MediaDecoder;
  readonly onState: (state: SourceState) => void;
  readonly onCameras: (cameras: readonly CameraChoice[]) => void;
}

/** One source at a time: the next one takes the place of the last, which is let go. */
export class Sources {
  readonly #options: SourcesOptions;
  readonly #camera: Camera;
  #current: Source;

  constructor(options: SourcesOptions) {
    this.#options = options;
    const onState = (state: SourceState) => this.#report(this.#camera, state);
    this.#camera = new Camera(
      options.media,
      { onState, onChoices: options.onCameras },
      options.memory,
      options.join,
      options.cameraName,
    );
    this.#current = this.#camera;
  }

  async startCamera(): Promise<void> {
    await this.#take(this.#camera);
  }

  async chooseCamera(deviceId: string): Promise<void> {
    const isOther = this.#current !== this.#camera;
    await this.#camera.choose(deviceId);
    if (isOther) await this.startCamera();
  }

  /** @param deviceId null: one camera is enough */
  async chooseSecondCamera(deviceId: string | null): Promise<void> {
    const isOther = this.#current !== this.#camera;
    await this.#camera.chooseSecond(deviceId);
    if (isOther) await this.startCamera();
  }

  async openFile(file: File): Promise<void> {
    const opened: Source | null = MediaFile.of(
      file,
      (state) => this.#report(opened, state),
      this.#options.decoder,
    );
    if (opened === null) {
      this.#letGo();
      this.#options.onState({ kind: "problem", source: "video", problem: "not_media", detail: file.name });
    } else {
      await this.#take(opened);
    }
  }

  /** To be called while a click is handled. What is shown stays until the person has chosen. */
  async shareScreen(): Promise<void> {
    let shared: Source | null = null;
    try {
      shared = await Screen.ask(this.#options.media, (state) => this.#report(shared, state));
    } catch (error) {
      this.#letGo();
      const problem = error instanceof SharingUnsupportedError ? "no_sharing" : "sharing_failed";
      const detail = error instanceof Error ? error.message : String(error);
      this.#options.onState({ kind: "problem", source: "screen", problem, detail });
      return;
    }
    if (shared !== null) await this.#take(shared);
  }

  stop(): void {
    this.#current.stop();
  }

  dispose(): void {
    this.#letGo();
    this.#camera.dispose();
  }

  async #take(source: Source): Promise<void> {
    if (source !== this.#current) this.#letGo();
    this.#current = source;
    await source.start();
  }

  /** Stops the current source without a word: another state follows at once. */
  #letGo(): void {
    const last = this.#current;
    this.#current = NOTHING;
    last.stop();
  }

  #report(source: Source | null, state: SourceState): void {
    if (source === this.#current) this.#options.onState(state);
  }
}

const NOTHING: Source = { kind: "camera", start: async () => {}, stop: () => {} };
