import type { FrameAnalysis } from "../detection/analyser";
import { BACKENDS } from "../detection/backends";
import type { DetectorKeeper } from "../detection/detectorKeeper";

import { joinSideBySide } from "../sources/sideBySide";
import type { SourceState } from "../sources/sourceState";
import { Sources, type SourcesOptions } from "../sources/sources";
import { type ConnectionEnvironment, StreamConnection } from "../stream/connection";
import type { ConnectionState } from "../stream/connectionState";
import { allowedIntervalMs } from "../stream/interval";
import { facesPerFrame, wantedFaces } from "../stream/pacing";
import type { ResultMessage, SessionConfig } from "../stream/protocol";
import { fetchAbout } from "./about";
import { ConfigSync } from "./configSync";
import { Corrections } from "./corrections";
import { FaceBook, sameView } from "./faces";
import { FramePump } from "./framePump";
import { RateMeter } from "./rate";
import { ReadingsMeter } from "./readings";
import { withReceipt } from "./receipts";
import type { Replay } from "./recording/replay";
import type { RerunOptions } from "./recording/rerun";
import type { Sessions } from "./recording/sessions";
import type { Settings } from "./settings/settings";
import { createStores, type LiveStores } from "./stores";
import { Viewer } from "../sources/viewer";

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
const ANNOUNCE_EVERY_MS = 2000;
/** A session that breaks off has its receipt from then at the earliest. */
const RECEIPT_EVERY_MS = 10_000;

/** Joins sources, detection, tracking and stream, and keeps the stores that the page is drawn from. */
export class Live {
  readonly stores: LiveStores;
  readonly settings: Settings;
  readonly corrections: Corrections;
  readonly sessions: Sessions;
  /** What can be looked at: cameras, files, a screen. */
  readonly sources: Sources;
  readonly #viewer: Viewer;
  readonly #connection: StreamConnection;
  readonly #detector: DetectorKeeper;
  readonly #pump: FramePump;
  readonly #book = new FaceBook();
  readonly #config: ConfigSync;
  readonly #meter = new ReadingsMeter();
  readonly #rate = new RateMeter();
  readonly #server: () => string | URL;
  readonly #ticker: ReturnType<typeof setInterval>;
  readonly #resultListeners = new Set<(result: ResultMessage) => void>();
  #unshown: ResultMessage[] = [];
  #announcedAtMs = 0;
  #receiptAtMs = 0;
  /** The detector looks at one frame at a time: the camera waits meanwhile. */
  #isRunningAgain = false;

  constructor({ settings, media, memory, stream, detector, server, sessions }: LiveOptions) {
    this.settings = settings;
    this.sessions = sessions;
    this.#server = server;
    this.corrections = new Corrections(server, () => settings.token.get());
    this.stores = createStores();
    this.sources = new Sources({
      media,
      memory,
      cameraName: settings.values.get().camera,
      join: joinSideBySide,
      onState: (state) => this.#onSource(state),
      onCameras: (choices) => this.stores.cameraChoices.set(choices),
    });
    this.#viewer = new Viewer({
      onFrame: (capturedAtMs) => void this.#pump.onFrame(capturedAtMs),
      canSend: () => this.#cropLimit() > 0,
      isAnsweredSince: (sinceMs) => this.#book.isAnsweredSince(sinceMs),
      onTrouble: (trouble) => this.stores.picture.set(trouble),
    });
    this.#connection = new StreamConnection(stream, {
      onState: (state) => this.#onConnection(state),
      onResult: (result) => this.#onResult(result),
      onConfig: (config) => this.#onConfig(config),
      onError: (error) => this.stores.streamError.set(error),
      onReceipt: (receipt) => this.stores.receipts.set(withReceipt(this.stores.receipts.get(), receipt)),
    });
    this.#config = new ConfigSync(settings, (config) => this.#connection.updateConfig(config));
    this.#detector = detector;
    this.#pump = new FramePump({
      now: () => performance.now(),
      capture: () => this.#viewer.capture(),
      analyser: () => (document.hidden || this.#isRunningAgain ? null : this.#detector.current),
      cropLimit: () => this.#cropLimit(),
      intervalMs: () => this.#intervalMs(),
      send: (capturedAtMs, faces, size) => {
        if (this.stores.session.get()?.corrections === true) this.corrections.remember(faces);
        if (this.#connection.send({ capturedAtMs, faces, size })) this.sessions.onSent(capturedAtMs);
      },
      onTracks: (tracks, frame, nowS) => {
        // A frame can still be under way when the source is stopped.
        if (this.stores.source.get().kind !== "live") return;
        const changed = this.#book.setTracks(tracks, nowS);
        this.stores.boxes.set({ frame, boxes: this.#book.boxes });
        if (changed) this.#onFacesChanged();
      },
      onAnalysis: (analysis) => this.#onAnalysis(analysis),
      onFailure: (error) => void this.#detector.onFailure(error),
      onFate: (fate) => this.#rate.add(fate, performance.now()),
    });
    this.#followSettings();
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
    this.#book.choose(faceId);
    this.#showFaces();
  }

  reconnect(): void {
    this.#connection.connect();
  }

  dispose(): void {
    clearInterval(this.#ticker);
    this.sources.dispose();
    this.#connection.disconnect();
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
    // The faces of one source are not those of the next.
    this.corrections.forget();
    this.#book.setTracks([]);
    this.stores.boxes.set({ ...this.stores.boxes.get(), boxes: [] });
    this.#onFacesChanged();
    if (state.kind === "live") this.#connection.connect();
    else this.#connection.disconnect();
  }

  #onConnection(state: ConnectionState): void {
    this.stores.connection.set(state);
    this.sessions.onConnection(state);
    if (state.kind !== "open") {
      this.#config.onEnd();
      return;
    }
    this.stores.session.set(state.session);
    this.corrections.begin(state.session.session_id);
    this.#tellSettings();
    this.stores.streamError.set(null);
    const { config, limits } = state.session;
    this.#receiptAtMs = Date.now();
    this.#book.setPerFrame(facesPerFrame(state.session));
    this.#config.onSession(config, () => wantedFaces(limits.max_faces, this.#intervalMs()));
    if (this.stores.about.get() === null) void this.#askAbout();
  }

  #onConfig(config: SessionConfig): void {
    const session = this.stores.session.get();
    if (session === null) return;
    const changed = { ...session, config };
    this.stores.session.set(changed);
    this.#book.setPerFrame(facesPerFrame(changed));
    this.#config.onConfig(config);
    this.#tellSettings();
  }

  async #askAbout(): Promise<void> {
    const server = this.#server();
    const about = await fetchAbout(server);
    if (String(server) === String(this.#server())) this.stores.about.set(about);
  }

  /** What changes while the page runs; components and the pump read the rest when they need it. */
  #followSettings(): void {
    const { values, token } = this.settings;
    let known = values.get();
    this.#book.setInterval(known.interval);
    this.#book.setThreshold(known.threshold);
    void this.#askAbout();
    values.subscribe(() => {
      const now = values.get();
      if (now.interval !== known.interval) this.#book.setInterval(now.interval);
      this.#book.setThreshold(now.threshold);
      if (now.backend !== known.backend)
        this.#detector.use(now.backend === "auto" ? BACKENDS : [now.backend]);
      if (now.server !== known.server) {
        this.stores.about.set(null);
        void this.#askAbout();
        this.#connectAnew();
      }
      known = now;
    });
    token.subscribe(() => this.#connectAnew());
  }

  #connectAnew(): void {
    if (this.#connection.state.kind === "idle") return;
    this.#connection.disconnect();
    this.#connection.connect();
  }

  #tellSettings(): void {
    const session = this.stores.session.get();
    if (session === null) return;
    const { model, config } = session;
    const source = this.stores.source.get();
    this.sessions.onSettings({
      model: model.name,
      labels: model.labels,
      smoothing: config.smoothing,
      intervalMs: Math.round(this.#intervalMs()),
      source: source.kind === "live" && "name" in source ? source.name : null,
    });
  }

  #onResult(result: ResultMessage): void {
    const nowMs = Date.now();
    this.#book.addResult(result, nowMs);
    for (const listener of this.#resultListeners) listener(result);
    this.sessions.onResult(result, nowMs);
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
    this.#showFaces();
    // The server ends sessions in which nothing happens; now something does.
    const state = this.#connection.state;
    if (this.#book.boxes.length > 0 && state.kind === "closed" && state.reason === "idle_timeout")
      this.#connection.connect();
  }

  #showFaces(): void {
    const view = this.#book.view(Date.now(), this.#viewer.isStill);
    if (!sameView(view, this.stores.faces.get())) this.stores.faces.set(view);
  }

  #onAnalysis({ detectMs }: FrameAnalysis): void {
    this.#detector.onSuccess();
    this.#viewer.onAnalysis();
    this.#meter.detected(detectMs);
  }

  #cropLimit(): number {
    const session = this.stores.session.get();
    if (session === null || !this.#connection.canSend) return 0;
    return facesPerFrame(session);
  }

  #intervalMs(): number {
    const limit = this.stores.session.get()?.limits.max_frames_per_second ?? 0;
    return allowedIntervalMs(this.settings.values.get().interval, limit);
  }

  #tick(): void {
    const nowMs = Date.now();
    this.#connection.tick();
    this.#viewer.tick();
    this.#showFaces();
    this.#showReadings(nowMs);
    if (this.#connection.state.kind === "open" && nowMs - this.#receiptAtMs >= RECEIPT_EVERY_MS) {
      this.#receiptAtMs = nowMs;
      this.#connection.requestReceipt();
    }
    if (nowMs - this.#announcedAtMs >= ANNOUNCE_EVERY_MS && this.stores.source.get().kind === "live") {
      this.#announcedAtMs = nowMs;
      this.stores.announcement.set(this.stores.faces.get());
    }
  }

  #showReadings(nowMs: number): void {
    const readings = this.#meter.read(nowMs);
    this.stores.readings.set(readings);
    this.stores.rate.set(
      this.#rate.read(performance.now(), {
        intervalMs: this.settings.values.get().interval,
        serverMaxPerSecond: this.stores.session.get()?.limits.max_frames_per_second ?? 0,
        serverMs: readings.timing?.total_ms ?? null,
        ageMs: readings.ageMs,
      }),
    );
  }
}
