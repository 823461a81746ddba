import { BACKENDS } from "../detection/backends";
import type { DetectorKeeper } from "../detection/detectorKeeper";
import { joinSideBySide } from "../sources/sideBySide";
import type { SourceState } from "../sources/sourceState";
import { Sources, type SourcesOptions } from "../sources/sources";
import { Viewer } from "../sources/viewer";
import type { ConnectionEnvironment } from "../stream/connection";
import type { ConnectionState } from "../stream/connectionState";
import { facesPerFrame } from "../stream/pacing";
import type { ResultMessage } from "../stream/protocol";
import { Corrections } from "./corrections";
import { FramePump } from "./framePump";
import { Meters } from "./meters";
import type { Replay } from "./recording/replay";
import type { RerunOptions } from "./recording/rerun";
import type { Sessions } from "./recording/sessions";
import { ServerLink } from "./serverLink";
import type { Settings } from "./settings/settings";
import { ShownFaces } from "./shownFaces";
import { onChange } from "./store";
import { createStores, type LiveStores } from "./stores";

export interface LiveOptions {
  readonly settings: Settings;
  readonly media: SourcesOptions["media"];
  readonly memory: SourcesOptions["memory"];
  readonly stream: ConnectionEnvironment;
  readonly detector: DetectorKeeper;
  /** Where `/v1/about` is asked for. */
  readonly server: () => string | URL;
  readonly sessions: Sessions;
}

const TICK_MS = 250;

/** Joins sources, detection, tracking and stream; `stores` has what the page is drawn from. */
export class Live {
  readonly stores: LiveStores = createStores();
  readonly settings: Settings;
  readonly corrections: Corrections;
  readonly sessions: Sessions;
  /** What can be looked at: cameras, files, a screen. */
  readonly sources: Sources;
  readonly #viewer: Viewer;
  readonly #detector: DetectorKeeper;
  readonly #pump: FramePump;
  readonly #faces: ShownFaces;
  readonly #link: ServerLink;
  readonly #meters: Meters;
  readonly #ticker: ReturnType<typeof setInterval>;
  readonly #resultListeners = new Set<(result: ResultMessage) => void>();
  #unshown: ResultMessage[] = [];
  /** The detector looks at one frame at a time: the camera waits meanwhile. */
  #isRunningAgain = false;

  constructor({ settings, media, memory, stream, detector, server, sessions }: LiveOptions) {
    const { stores } = this;
    this.settings = settings;
    this.sessions = sessions;
    this.#detector = detector;
    this.corrections = new Corrections(server, () => settings.token.get());
    this.sources = new Sources({
      media,
      memory,
      cameraName: settings.values.get().camera,
      join: joinSideBySide,
      onState: (state) => this.#onSource(state),
      onCameras: (choices) => stores.cameraChoices.set(choices),
    });
    this.#viewer = new Viewer({
      onFrame: (capturedAtMs) => void this.#pump.onFrame(capturedAtMs),
      canSend: () => this.#link.cropLimit > 0,
      isAnsweredSince: (sinceMs) => this.#faces.isAnsweredSince(sinceMs),
      onTrouble: (trouble) => stores.picture.set(trouble),
    });
    this.#faces = new ShownFaces(settings, stores, () => this.#viewer.isStill);
    this.#meters = new Meters(settings, stores);
    this.#link = new ServerLink({
      settings,
      stores,
      stream,
      server,
      onState: (state) => this.#onConnection(state),
      onSession: (session) => {
        this.#faces.setPerFrame(facesPerFrame(session));
        this.#tellSettings();
      },
      onResult: (result) => this.#onResult(result),
    });
    this.#pump = this.#createPump();
    onChange(
      settings.values,
      ({ backend }) => backend,
      (backend) => detector.use(backend === "auto" ? BACKENDS : [backend]),
    );
    this.#ticker = setInterval(() => this.#tick(), TICK_MS);
    document.addEventListener("visibilitychange", this.#onVisibility);
  }

  /** Follows this video's frames until the returned function is called. */
  attachVideo(video: HTMLVideoElement): () => void {
    return this.#viewer.attachVideo(video);
  }

  /** Has this image looked at until its faces are known, or the returned function is called. */
  attachImage(image: HTMLImageElement): () => void {
    return this.#viewer.attachImage(image);
  }

  /** To be called once the person agrees: it is the consent. */
  startCamera(): void {
    this.#begin();
    void this.sources.startCamera();
  }

  /** Stops whatever is looked at. */
  stopCamera(): void {
    this.sources.stop();
  }

  chooseCamera(deviceId: string): void {
    const choice = this.stores.cameraChoices.get().find((each) => each.deviceId === deviceId);
    if (choice !== undefined) this.settings.set("camera", choice.label);
    void this.sources.chooseCamera(deviceId);
  }

  /** @param deviceId null: one camera is enough */
  chooseSecondCamera(deviceId: string | null): void {
    void this.sources.chooseSecondCamera(deviceId);
  }

  openFile(file: File): void {
    this.#begin();
    void this.sources.openFile(file);
  }

  /** To be called while a click is handled. */
  shareScreen(): void {
    this.#begin();
    void this.sources.shareScreen();
  }

  /** @returns stops the calls */
  onResult(listener: (result: ResultMessage) => void): () => void {
    this.#resultListeners.add(listener);
    return () => this.#resultListeners.delete(listener);
  }

  chooseFace(faceId: number | null): void {
    this.#faces.choose(faceId);
  }

  reconnect(): void {
    this.#link.connect();
  }

  dispose(): void {
    clearInterval(this.#ticker);
    this.sources.dispose();
    this.#link.disconnect();
    this.#detector.stop();
    document.removeEventListener("visibilitychange", this.#onVisibility);
    this.sessions.dispose();
  }

  /** Sends a session's video through the stream once more. @param server its address; empty for this page's own */
  async runAgain(replay: Replay, server: string, options: RerunOptions): Promise<string> {
    await this.#detector.start((status) => this.stores.detector.set(status));
    this.#isRunningAgain = true;
    try {
      const detector = this.#detector.current;
      if (detector === null) throw new Error("no detector");
      return await this.sessions.runAgain(replay, server, options, detector);
    } finally {
      this.#isRunningAgain = false;
    }
  }

  #createPump(): FramePump {
    return new FramePump({
      now: () => performance.now(),
      capture: () => this.#viewer.capture(),
      analyser: () => (document.hidden || this.#isRunningAgain ? null : this.#detector.current),
      cropLimit: () => this.#link.cropLimit,
      intervalMs: () => this.#link.intervalMs,
      send: (capturedAtMs, faces, size) => {
        if (this.stores.session.get()?.corrections === true) this.corrections.remember(faces);
        if (this.#link.send({ capturedAtMs, faces, size })) this.sessions.onSent(capturedAtMs);
      },
      onTracks: (tracks, frame, nowS) => {
        // A frame can still be under way when the source is stopped.
        if (this.stores.source.get().kind !== "live") return;
        if (this.#faces.setTracks(tracks, frame, nowS)) this.#wakeSession();
      },
      onAnalysis: ({ detectMs }) => {
        this.#detector.onSuccess();
        this.#viewer.onAnalysis();
        this.#meters.detected(detectMs);
      },
      onFailure: (error) => void this.#detector.onFailure(error),
      onFate: (fate) => this.#meters.frame(fate),
    });
  }

  readonly #onVisibility = (): void => this.sessions.onHidden(document.hidden);

  /** The person has chosen something to look at. */
  #begin(): void {
    this.stores.consent.set(true);
    void this.#detector.start((status) => this.stores.detector.set(status));
  }

  #onSource(state: SourceState): void {
    this.stores.source.set(state);
    this.#viewer.onSource(state);
    this.sessions.onSource(state);
    this.#tellSettings();
    if (state.kind === "asking") return;
    this.corrections.forget();
    this.#faces.forget();
    if (state.kind === "live") this.#link.connect();
    else this.#link.disconnect();
  }

  #onConnection(state: ConnectionState): void {
    this.sessions.onConnection(state);
    if (state.kind === "open") this.corrections.begin(state.session.session_id);
  }

  /** What a recording says of its circumstances. */
  #tellSettings(): void {
    const session = this.stores.session.get();
    if (session === null) return;
    const { model, config } = session;
    const source = this.stores.source.get();
    this.sessions.onSettings({
      model: model.name,
      labels: model.labels,
      smoothing: config.smoothing,
      intervalMs: Math.round(this.#link.intervalMs),
      source: source.kind === "live" && "name" in source ? source.name : null,
    });
  }

  #onResult(result: ResultMessage): void {
    const nowMs = Date.now();
    this.#faces.addResult(result, nowMs);
    for (const listener of this.#resultListeners) listener(result);
    this.sessions.onResult(result, nowMs);
    // Several answers may come between two pictures of the screen: they are shown together.
    if (this.#unshown.push(result) === 1) requestAnimationFrame(() => this.#showResults());
  }

  #showResults(): void {
    const nowMs = Date.now();
    for (const result of this.#unshown) this.#meters.shown(result, nowMs);
    this.#unshown = [];
    this.#faces.show();
  }

  /** The server ends sessions in which nothing happens; now something does. */
  #wakeSession(): void {
    const { state } = this.#link;
    if (this.#faces.areThere && state.kind === "closed" && state.reason === "idle_timeout")
      this.#link.connect();
  }

  #tick(): void {
    const nowMs = Date.now();
    this.#link.tick(nowMs);
    this.#viewer.tick();
    this.#faces.tick(nowMs);
    this.#meters.tick(nowMs, this.#link.maxFramesPerSecond);
  }
}
