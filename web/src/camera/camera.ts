import { type CameraChoice, type CameraState, problemOf, SOLVED_BY_DEVICE_CHANGE } from "./cameraState";

/** The part of `navigator.mediaDevices` that is used here. */
export type MediaDevicesLike = Pick<
  MediaDevices,
  "getUserMedia" | "enumerateDevices" | "addEventListener" | "removeEventListener"
>;

export interface CameraListener {
  onState(state: CameraState): void;
  onChoices(choices: readonly CameraChoice[]): void;
}

/** Enough for 224-pixel crops of a face a few metres away; the browser picks the nearest that the camera has. */
const WANTED_VIDEO: MediaTrackConstraints = {
  width: { ideal: 1280 },
  height: { ideal: 720 },
  frameRate: { ideal: 30 },
};

/** One camera at a time, with an explicit state. It is on until `stop`, and comes back after a device change. */
export class Camera {
  readonly #media: MediaDevicesLike | undefined;
  readonly #listener: CameraListener;
  #state: CameraState = { kind: "off" };
  #chosenId: string | null = null;
  /** Counts starts and stops, so that an answer to an outdated request is recognised. */
  #request = 0;

  /** @param media undefined where the browser withholds cameras, as it does from insecure pages */
  constructor(media: MediaDevicesLike | undefined, listener: CameraListener) {
    this.#media = media;
    this.#listener = listener;
    media?.addEventListener("devicechange", this.#onDeviceChange);
  }

  async start(): Promise<void> {
    const request = ++this.#request;
    this.#stopTracks();
    if (this.#media === undefined) {
      this.#setState({ kind: "problem", problem: "insecure", detail: "" });
      return;
    }
    this.#setState({ kind: "asking" });
    try {
      const stream = await this.#open(this.#media);
      if (request !== this.#request) {
        stopAll(stream);
        return;
      }
      this.#adopt(stream);
    } catch (error) {
      if (request !== this.#request) return;
      const detail = error instanceof Error ? error.message : String(error);
      this.#setState({ kind: "problem", problem: problemOf(error), detail });
    }
    await this.#listChoices(this.#media);
  }

  stop(): void {
    this.#request++;
    this.#stopTracks();
    this.#setState({ kind: "off" });
  }

  /** Changes to another camera, now or, if the camera is off, at the next start. */
  async choose(deviceId: string): Promise<void> {
    this.#chosenId = deviceId;
    if (this.#state.kind !== "off") await this.start();
  }

  /** Stops for good. */
  dispose(): void {
    this.stop();
    this.#media?.removeEventListener("devicechange", this.#onDeviceChange);
  }

  async #open(media: MediaDevicesLike): Promise<MediaStream> {
    if (this.#chosenId === null) return await media.getUserMedia({ video: WANTED_VIDEO, audio: false });
    try {
      const video = { ...WANTED_VIDEO, deviceId: { exact: this.#chosenId } };
      return await media.getUserMedia({ video, audio: false });
    } catch (error) {
      if (problemOf(error) !== "missing") throw error;
      // The chosen camera is gone; any other is better than none.
      this.#chosenId = null;
      return await this.#open(media);
    }
  }

  #adopt(stream: MediaStream): void {
    const [track] = stream.getVideoTracks();
    if (track === undefined) {
      this.#setState({ kind: "problem", problem: "failed", detail: "the camera gives no video" });
      return;
    }
    track.addEventListener("ended", () => {
      if (this.#state.kind !== "live" || this.#state.stream !== stream) return;
      this.#request++;
      this.#setState({ kind: "problem", problem: "lost", detail: "" });
    });
    const { deviceId = "", width = 0, height = 0 } = track.getSettings();
    this.#setState({ kind: "live", stream, deviceId, size: { width, height } });
  }

  async #listChoices(media: MediaDevicesLike): Promise<void> {
    const devices = await media.enumerateDevices().catch(() => []);
    const cameras = devices.filter((device) => device.kind === "videoinput" && device.deviceId !== "");
    this.#listener.onChoices(
      cameras.map(({ deviceId, label }, index) => ({ deviceId, label: label || `Camera ${index + 1}` })),
    );
  }

  readonly #onDeviceChange = (): void => {
    if (this.#media === undefined) return;
    if (this.#state.kind === "problem" && SOLVED_BY_DEVICE_CHANGE.has(this.#state.problem)) void this.start();
    else void this.#listChoices(this.#media);
  };

  #stopTracks(): void {
    if (this.#state.kind === "live") stopAll(this.#state.stream);
  }

  #setState(state: CameraState): void {
    this.#state = state;
    this.#listener.onState(state);
  }
}

function stopAll(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}
