import {
  type CameraMemory,
  cameraNamed,
  findCamera,
  rememberCamera,
  rememberedCamera,
  type WantedCamera,
} from "./rememberedCamera";
import {
  type CameraChoice,
  problemOf,
  type SecondCamera,
  SOLVED_BY_DEVICE_CHANGE,
  type Source,
  type SourceState,
} from "./sourceState";

/** The part of `navigator.mediaDevices` that is used here. */
export type MediaDevicesLike = Pick<
  MediaDevices,
  "getUserMedia" | "enumerateDevices" | "addEventListener" | "removeEventListener"
>;

export interface CameraListener {
  onState(state: SourceState): void;
  onChoices(choices: readonly CameraChoice[]): void;
}

/** Both pictures in one, as one stream. `stop` ends it, and not the two that it is made of. */
export type JoinStreams = (
  first: MediaStream,
  second: MediaStream,
) => { readonly stream: MediaStream; stop(): void };

/** Enough for 224-pixel crops of a face a few metres away; the browser picks the nearest that the camera has. */
const WANTED_VIDEO: MediaTrackConstraints = {
  width: { ideal: 1280 },
  height: { ideal: 720 },
  frameRate: { ideal: 30 },
};

/** What is on: the cameras' own streams, and the one that is shown. */
interface Opened {
  readonly streams: readonly MediaStream[];
  readonly shown: MediaStream;
  readonly second: SecondCamera;
  stop(): void;
}

/**
 * A camera, or two side by side, with an explicit state. It is on until `stop`, comes back after a device change, and
 * goes back to the camera that was chosen once that is there again.
 */
export class Camera implements Source {
  readonly kind = "camera";
  readonly #media: MediaDevicesLike | undefined;
  readonly #listener: CameraListener;
  readonly #memory: CameraMemory | null;
  readonly #join: JoinStreams;
  #state: SourceState = { kind: "off" };
  #opened: Opened | null = null;
  #cameras: readonly WantedCamera[] = [];
  #wanted: WantedCamera | null;
  /** What a link calls the camera, until it is found: browsers tell names only once a camera is on. */
  #name: string | null;
  #secondId: string | null = null;
  /** Counts starts and stops, so that an answer to an outdated request is recognised. */
  #request = 0;

  /**
   * @param media undefined where the browser withholds cameras, as it does from insecure pages
   * @param name the camera to begin with, as `cameraNamed` finds it; null: the remembered one
   */
  constructor(
    media: MediaDevicesLike | undefined,
    listener: CameraListener,
    memory: CameraMemory | null,
    join: JoinStreams,
    name: string | null = null,
  ) {
    this.#media = media;
    this.#listener = listener;
    this.#memory = memory;
    this.#join = join;
    this.#wanted = rememberedCamera(memory);
    this.#name = name;
    media?.addEventListener("devicechange", this.#onDeviceChange);
  }

  async start(): Promise<void> {
    const request = ++this.#request;
    this.#close();
    if (this.#media === undefined) {
      this.#setState({ kind: "problem", source: "camera", problem: "insecure", detail: "" });
      return;
    }
    this.#setState({ kind: "asking", source: "camera" });
    try {
      const opened = await this.#open(this.#media);
      if (request !== this.#request) {
        opened.stop();
        return;
      }
      this.#adopt(opened);
    } catch (error) {
      if (request !== this.#request) return;
      const detail = error instanceof Error ? error.message : String(error);
      this.#setState({ kind: "problem", source: "camera", problem: problemOf(error), detail });
    }
    await this.#listCameras(this.#media);
    if (request === this.#request && this.#isNameFound() && this.#wantedIsBack()) await this.start();
  }

  stop(): void {
    this.#request++;
    this.#close();
    this.#setState({ kind: "off" });
  }

  /** Changes to another camera, now or, if the camera is off, at the next start; remembered in this browser. */
  async choose(deviceId: string): Promise<void> {
    const label = this.#cameras.find((camera) => camera.deviceId === deviceId)?.label ?? "";
    this.#wanted = { deviceId, label };
    this.#name = null;
    rememberCamera(this.#memory, this.#wanted);
    if (this.#secondId === deviceId) this.#secondId = null;
    if (this.#state.kind !== "off") await this.start();
  }

  /** Shows another camera beside the first; null: none. */
  async chooseSecond(deviceId: string | null): Promise<void> {
    this.#secondId = deviceId;
    if (this.#state.kind !== "off") await this.start();
  }

  /** Stops for good. */
  dispose(): void {
    this.stop();
    this.#media?.removeEventListener("devicechange", this.#onDeviceChange);
  }

  async #open(media: MediaDevicesLike): Promise<Opened> {
    const first = await this.#openFirst(media);
    const secondId = this.#secondId;
    const alone = (second: SecondCamera): Opened => ({
      streams: [first],
      shown: first,
      second,
      stop: () => stopAll(first),
    });
    if (secondId === null || secondId === deviceIdOf(first)) return alone({ kind: "none" });
    let second: MediaStream;
    try {
      second = await openOne(media, secondId);
    } catch (error) {
      // One picture is better than none.
      return alone({ kind: "problem", deviceId: secondId, problem: problemOf(error) });
    }
    const joined = this.#join(first, second);
    return {
      streams: [first, second],
      shown: joined.stream,
      second: { kind: "live", deviceId: secondId },
      stop: () => {
        joined.stop();
        stopAll(first);
        stopAll(second);
      },
    };
  }

  async #openFirst(media: MediaDevicesLike): Promise<MediaStream> {
    if (this.#wanted === null) return await media.getUserMedia({ video: WANTED_VIDEO, audio: false });
    try {
      return await openOne(media, (findCamera(this.#cameras, this.#wanted) ?? this.#wanted).deviceId);
    } catch (error) {
      if (problemOf(error) !== "missing") throw error;
      // The chosen camera is away; until it is back, any other is better than none.
      return await media.getUserMedia({ video: WANTED_VIDEO, audio: false });
    }
  }

  #adopt(opened: Opened): void {
    const [track] = opened.streams[0]?.getVideoTracks() ?? [];
    if (track === undefined) {
      opened.stop();
      const detail = "the camera gives no video";
      this.#setState({ kind: "problem", source: "camera", problem: "failed", detail });
      return;
    }
    this.#opened = opened;
    for (const stream of opened.streams) {
      for (const each of stream.getVideoTracks()) each.addEventListener("ended", () => this.#onEnded(opened));
    }
    const { deviceId = "", width = 0, height = 0 } = track.getSettings();
    const { shown, second } = opened;
    this.#setState({
      kind: "live",
      source: "camera",
      stream: shown,
      deviceId,
      second,
      size: { width, height },
    });
  }

  /** One of the cameras went away. */
  #onEnded(opened: Opened): void {
    if (this.#opened !== opened) return;
    this.#request++;
    this.#close();
    this.#setState({ kind: "problem", source: "camera", problem: "lost", detail: "" });
  }

  async #listCameras(media: MediaDevicesLike): Promise<void> {
    const devices = await media.enumerateDevices().catch(() => []);
    this.#cameras = devices.filter(({ kind, deviceId }) => kind === "videoinput" && deviceId !== "");
    this.#listener.onChoices(
      this.#cameras.map(({ deviceId, label }, index) => ({
        deviceId,
        label: label || `Camera ${index + 1}`,
      })),
    );
  }

  readonly #onDeviceChange = (): void => {
    if (this.#media !== undefined) void this.#followDevices(this.#media);
  };

  async #followDevices(media: MediaDevicesLike): Promise<void> {
    await this.#listCameras(media);
    if (this.#isSolvedByDevices() || this.#wantedIsBack()) await this.start();
  }

  #isSolvedByDevices(): boolean {
    const state = this.#state;
    if (state.kind === "live" && state.source === "camera" && state.second.kind === "problem") {
      const { deviceId } = state.second;
      return this.#cameras.some((camera) => camera.deviceId === deviceId);
    }
    return (
      state.kind === "problem" && state.source === "camera" && SOLVED_BY_DEVICE_CHANGE.has(state.problem)
    );
  }

  /** Whether it is only now known which camera a link means. */
  #isNameFound(): boolean {
    const named = this.#name === null ? undefined : cameraNamed(this.#cameras, this.#name);
    if (named === undefined) return false;
    this.#name = null;
    this.#wanted = { deviceId: named.deviceId, label: named.label };
    return true;
  }

  #wantedIsBack(): boolean {
    const state = this.#state;
    if (state.kind !== "live" || state.source !== "camera" || this.#wanted === null) return false;
    const found = findCamera(this.#cameras, this.#wanted);
    return found !== undefined && found.deviceId !== state.deviceId;
  }

  #close(): void {
    this.#opened?.stop();
    this.#opened = null;
  }

  #setState(state: SourceState): void {
    this.#state = state;
    this.#listener.onState(state);
  }
}

async function openOne(media: MediaDevicesLike, deviceId: string): Promise<MediaStream> {
  return await media.getUserMedia({
    video: { ...WANTED_VIDEO, deviceId: { exact: deviceId } },
    audio: false,
  });
}

function deviceIdOf(stream: MediaStream): string | undefined {
  return stream.getVideoTracks()[0]?.getSettings().deviceId;
}

function stopAll(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}
