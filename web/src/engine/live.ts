import { Camera, type MediaDevicesLike } from "../camera/camera";
import type { CameraState } from "../camera/cameraState";
import { watchFrames } from "../camera/frameSource";
import type { FrameAnalysis } from "../detection/analyser";
import type { DetectorKeeper } from "../detection/detectorKeeper";

import { type ConnectionEnvironment, StreamConnection } from "../stream/connection";
import type { ConnectionState } from "../stream/connectionState";
import { allowedIntervalMs, type IntervalSetting } from "../stream/interval";
import { wantedFaces } from "../stream/pacing";
import type { ResultMessage, SessionConfig } from "../stream/protocol";
import { FaceBook, sameView } from "./faces";
import { FramePump } from "./framePump";
import { ReadingsMeter } from "./readings";
import { SessionLog } from "./sessionLog";
import { rememberedSmoothing, rememberSmoothing, type Storage } from "./smoothing";
import { createStores, type LiveStores } from "./stores";
import { Traces } from "./traces";

export interface LiveOptions {
  readonly interval: IntervalSetting;
  readonly media: MediaDevicesLike | undefined;
  readonly stream: ConnectionEnvironment;
  readonly detector: DetectorKeeper;
  readonly storage: Storage | null;
}

const TICK_MS = 250;
const ANNOUNCE_EVERY_MS = 2000;
const SMOOTHING_DELAY_MS = 150;

/** Joins camera, detection, tracking and stream, and keeps the stores that the page is drawn from. */
export class Live {
  readonly stores: LiveStores;
  readonly interval: IntervalSetting;
  readonly traces = new Traces();
  readonly log = new SessionLog();
  readonly #storage: Storage | null;
  readonly #camera: Camera;
  readonly #connection: StreamConnection;
  readonly #detector: DetectorKeeper;
  readonly #pump: FramePump;
  readonly #book: FaceBook;
  readonly #meter = new ReadingsMeter();
  readonly #ticker: ReturnType<typeof setInterval>;
  #video: HTMLVideoElement | null = null;
  #unshown: ResultMessage[] = [];
  #smoothingTimer: ReturnType<typeof setTimeout> | undefined;
  #announcedAtMs = 0;

  constructor({ interval, media, stream, detector, storage }: LiveOptions) {
    this.interval = interval;
    this.#storage = storage;
    this.stores = createStores(rememberedSmoothing(storage) ?? 0);
    this.#book = new FaceBook(interval.intervalMs);
    this.#camera = new Camera(media, {
      onState: (state) => this.#onCamera(state),
      onChoices: (choices) => this.stores.cameraChoices.set(choices),
    });
    this.#connection = new StreamConnection(stream, {
      onState: (state) => this.#onConnection(state),
      onResult: (result) => this.#onResult(result),
      onConfig: (config) => this.#onConfig(config),
      onError: (error) => this.stores.streamError.set(error),
    });
    this.#detector = detector;
    this.#pump = new FramePump({
      now: () => performance.now(),
      capture: () => this.#capture(),
      analyser: () => (document.hidden ? null : this.#detector.current),
      cropLimit: () => this.#cropLimit(),
      intervalMs: () => this.#intervalMs(),
      send: (capturedAtMs, faces, size) => this.#connection.send({ capturedAtMs, faces, size }),
      onTracks: (tracks, frame, nowS) => {
        // A frame can still be under way when the camera is stopped.
        if (this.stores.camera.get().kind !== "live") return;
        const changed = this.#book.setTracks(tracks, nowS);
        this.stores.boxes.set({ frame, boxes: this.#book.boxes });
        if (changed) this.#onFacesChanged();
      },
      onAnalysis: (analysis) => this.#onAnalysis(analysis),
      onFailure: (error) => void this.#detector.onFailure(error),
    });
    this.#ticker = setInterval(() => this.#tick(), TICK_MS);
  }

  /** Follows this video's frames until the returned function is called. */
  attachVideo(video: HTMLVideoElement): () => void {
    this.#video = video;
    const stop = watchFrames(video, (capturedAtMs) => void this.#pump.onFrame(capturedAtMs));
    return () => {
      stop();
      this.#video = null;
    };
  }

  startCamera(): void {
    void this.#detector.start((status) => this.stores.detector.set(status));
    void this.#camera.start();
  }

  stopCamera(): void {
    this.#camera.stop();
  }

  chooseCamera(deviceId: string): void {
    void this.#camera.choose(deviceId);
  }

  chooseFace(faceId: number | null): void {
    this.#book.choose(faceId);
    this.#showFaces();
  }

  reconnect(): void {
    this.#connection.connect();
  }

  /** @param smoothing in [0, 0.95] */
  setSmoothing(smoothing: number): void {
    this.stores.smoothing.set(smoothing);
    rememberSmoothing(this.#storage, smoothing);
    clearTimeout(this.#smoothingTimer);
    this.#smoothingTimer = setTimeout(() => this.#connection.updateConfig({ smoothing }), SMOOTHING_DELAY_MS);
  }

  dispose(): void {
    clearInterval(this.#ticker);
    clearTimeout(this.#smoothingTimer);
    this.#camera.dispose();
    this.#connection.disconnect();
    this.#detector.stop();
  }

  #onCamera(state: CameraState): void {
    this.stores.camera.set(state);
    if (state.kind === "live") {
      this.#connection.connect();
    } else if (state.kind !== "asking") {
      this.#connection.disconnect();
      this.#book.setTracks([]);
      this.stores.boxes.set({ ...this.stores.boxes.get(), boxes: [] });
      this.#onFacesChanged();
    }
  }

  #onConnection(state: ConnectionState): void {
    this.stores.connection.set(state);
    if (state.kind !== "open") return;
    this.stores.session.set(state.session);
    this.stores.streamError.set(null);
    const { config, limits } = state.session;
    const wanted = wantedFaces(limits.max_faces, this.#intervalMs());
    this.#book.setPerFrame(Math.min(config.max_faces, limits.max_faces));
    const remembered = rememberedSmoothing(this.#storage);
    if (remembered === null) this.stores.smoothing.set(config.smoothing);
    if (wanted !== config.max_faces || (remembered ?? config.smoothing) !== config.smoothing) {
      this.#connection.updateConfig({ max_faces: wanted, smoothing: remembered ?? config.smoothing });
    }
  }

  #onConfig(config: SessionConfig): void {
    const session = this.stores.session.get();
    if (session === null) return;
    this.stores.session.set({ ...session, config });
    this.#book.setPerFrame(Math.min(config.max_faces, session.limits.max_faces));
  }

  #onResult(result: ResultMessage): void {
    const nowMs = Date.now();
    this.#book.addResult(result, nowMs);
    this.log.addResult(result, nowMs);
    for (const { face_id, predictions } of result.faces) {
      this.traces.add(face_id, result.captured_at ?? nowMs, predictions);
    }
    // Several answers may come between two pictures of the screen: they are shown together.
    if (this.#unshown.push(result) === 1) requestAnimationFrame(() => this.#showResults());
  }

  #showResults(): void {
    const nowMs = Date.now();
    for (const { captured_at, timing } of this.#unshown) {
      this.#meter.add(nowMs, nowMs - (captured_at ?? nowMs), timing);
    }
    this.#unshown = [];
    this.#showFaces();
  }

  #onFacesChanged(): void {
    this.traces.keepOnly(this.#book.knownIds);
    this.#showFaces();
    // The server ends sessions in which nothing happens; now something does.
    const state = this.#connection.state;
    if (this.#book.boxes.length > 0 && state.kind === "closed" && state.reason === "idle_timeout")
      this.#connection.connect();
  }

  #showFaces(): void {
    const view = this.#book.view(Date.now());
    if (!sameView(view, this.stores.faces.get())) this.stores.faces.set(view);
  }

  #onAnalysis({ detectMs }: FrameAnalysis): void {
    this.#detector.onSuccess();
    this.#meter.detected(detectMs);
  }

  #cropLimit(): number {
    const session = this.stores.session.get();
    if (session === null || !this.#connection.canSend) return 0;
    return Math.min(session.config.max_faces, session.limits.max_faces);
  }

  #intervalMs(): number {
    const limit = this.stores.session.get()?.limits.max_frames_per_second ?? 0;
    return allowedIntervalMs(this.interval.intervalMs, limit);
  }

  async #capture(): Promise<ImageBitmap | null> {
    const video = this.#video;
    return video === null || video.videoWidth === 0 ? null : await createImageBitmap(video);
  }

  #tick(): void {
    const nowMs = Date.now();
    this.#connection.tick();
    this.#showFaces();
    this.stores.readings.set(this.#meter.read(nowMs));
    if (nowMs - this.#announcedAtMs >= ANNOUNCE_EVERY_MS && this.stores.camera.get().kind === "live") {
      this.#announcedAtMs = nowMs;
      this.stores.announcement.set(this.stores.faces.get());
    }
  }
}
