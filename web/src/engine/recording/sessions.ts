import type { SourceState } from "../../sources/sourceState";
import type { ConnectionEnvironment } from "../../stream/connection";
import type { ConnectionState } from "../../stream/connectionState";
import type { ResultMessage } from "../../stream/protocol";
import { createStore, type Store } from "../store";
import { Timeline } from "../timeline/timeline";
import { type SessionDatabase, type StorageProblem, storageProblemOf } from "./database";
import { KEEP_EVERY_MS, lockName, Recorder, type RecorderEnvironment } from "./recorder";
import type { Replay } from "./replay";
import type { RerunEnvironment, RerunOptions } from "./rerun";
import { type RowSettings, type SessionRecord, withName } from "./session";
import { type VideoEnvironment, VideoKeeper } from "./videoKeeper";

/** A recorded session in the list. */
export interface SessionEntry {
  readonly record: SessionRecord;
  /** Its page was closed, or crashed, while it was recorded. */
  readonly isInterrupted: boolean;
  /** This page, or another one, is recording it. */
  readonly isRecording: boolean;
}

/** What the browser says about its storage, in bytes. */
export interface StorageView {
  readonly usedBytes: number | null;
  readonly quotaBytes: number | null;
  /** Whether the browser promises not to clear it by itself. */
  readonly isPersistent: boolean;
}

/** What the sessions need of the world. */
export interface SessionsEnvironment extends RecorderEnvironment, VideoEnvironment {
  /** A stream that answers every frame. @param server its address; empty for the page's own @throws TypeError */
  streamTo(server: string): ConnectionEnvironment;
  /** Names that any page holds. */
  heldNames(): Promise<ReadonlySet<string>>;
  storage(): Promise<StorageView>;
  /** Asks the browser not to clear its storage by itself. */
  persist(): Promise<void>;
}

const NO_STORAGE: StorageView = { usedBytes: null, quotaBytes: null, isPersistent: false };

/** Recording, the live timeline, and the list of what was recorded. `Live` hands its events on to it. */
export class Sessions {
  readonly database: SessionDatabase;
  readonly recorder: Recorder;
  /** Of all that this page has seen, recorded or not. */
  readonly timeline = new Timeline();
  /** Names of faces, by the page's `face_id`. */
  readonly people: Store<SessionRecord["people"]> = createStore({});
  readonly list: Store<readonly SessionEntry[]> = createStore<readonly SessionEntry[]>([]);
  readonly storage: Store<StorageView> = createStore(NO_STORAGE);
  /** Why the list cannot be read, or changed. */
  readonly problem: Store<StorageProblem | null> = createStore<StorageProblem | null>(null);
  /** Whether video is kept, too: the person's own switch, off whenever the page is opened. */
  readonly keepsVideo: Store<boolean> = createStore(false);
  readonly #environment: SessionsEnvironment;
  readonly #video: VideoKeeper;
  readonly #timer: ReturnType<typeof setInterval>;
  #stream: MediaStream | null = null;
  #unansweredSinceMs: number | null = null;

  constructor(database: SessionDatabase, environment: SessionsEnvironment) {
    this.database = database;
    this.#environment = environment;
    this.recorder = new Recorder(database, environment);
    this.recorder.setAway("no_camera", true);
    this.recorder.setAway("no_server", true);
    this.#video = new VideoKeeper(database, environment, (problem) => this.problem.set(problem));
    this.recorder.view.subscribe(() => void this.#updateVideo());
    this.#timer = setInterval(() => void this.recorder.keep(), KEEP_EVERY_MS);
    void this.refresh();
  }

  dispose(): void {
    clearInterval(this.#timer);
    void this.#video.stop();
    void this.recorder.stop();
  }

  // What Live tells

  onSource(state: SourceState): void {
    this.#stream = state.kind === "live" && "stream" in state ? state.stream : null;
    this.recorder.setAway("no_camera", state.kind !== "live");
    void this.#updateVideo();
  }

  onConnection(state: ConnectionState): void {
    const isOpen = state.kind === "open";
    // A lost server is noticed late: the gap begins with the first frame that it did not answer.
    this.recorder.setAway("no_server", !isOpen, (!isOpen ? this.#unansweredSinceMs : null) ?? undefined);
    this.#unansweredSinceMs = null;
  }

  onHidden(isHidden: boolean): void {
    this.recorder.setAway("hidden", isHidden);
    void this.recorder.keep();
  }

  onSettings(settings: RowSettings): void {
    this.recorder.setSettings(settings);
    this.timeline.setLabels(settings.labels);
  }

  onSent(capturedAtMs: number): void {
    this.#unansweredSinceMs ??= capturedAtMs;
  }

  onResult(result: ResultMessage, nowMs: number): void {
    this.#unansweredSinceMs = null;
    const capturedAtMs = result.captured_at ?? nowMs;
    for (const { face_id, predictions } of result.faces) {
      this.timeline.add(face_id, capturedAtMs, predictions);
    }
    this.recorder.addResult(result, nowMs);
  }

  // What the person does

  async record(name: string): Promise<void> {
    void this.#environment.persist();
    await this.recorder.start(name, this.people.get());
    await this.refresh();
  }

  async carryOn(id: string): Promise<void> {
    await this.recorder.carryOn(id);
    await this.refresh();
  }

  async stop(): Promise<void> {
    await this.#video.stop();
    await this.recorder.stop();
    await this.refresh();
  }

  setKeepsVideo(isWanted: boolean): void {
    this.keepsVideo.set(isWanted);
    void this.#updateVideo();
  }

  /** @param name empty takes the name away */
  namePerson(faceIds: readonly number[], name: string): void {
    for (const faceId of faceIds) {
      this.people.set(withName(this.people.get(), faceId, name));
      this.recorder.namePerson(faceId, name);
    }
    this.timeline.setPeople(this.people.get());
  }

  /** Sends a session's video through the stream once more. @returns the new session's id */
  async runAgain(
    replay: Replay,
    server: string,
    options: RerunOptions,
    detector: RerunEnvironment["detector"],
  ): Promise<string> {
    // Few people want it, so its code comes only now.
    const [{ runAgain }, { openSegment }] = await Promise.all([import("./rerun"), import("./segmentReader")]);
    const outside = this.#environment;
    const environment = {
      stream: outside.streamTo(server),
      detector,
      openSegment,
      newId: () => outside.newId(),
    };
    return await runAgain(this.database, replay, environment, options);
  }

  /** Reads the list and the storage again. */
  async refresh(): Promise<void> {
    await this.#try(async () => {
      const [records, held, storage] = await Promise.all([
        this.database.sessions(),
        this.#environment.heldNames(),
        this.#environment.storage(),
      ]);
      this.storage.set(storage);
      this.list.set(
        records.map((record) => {
          const isRecording = record.id === this.recorder.sessionId || held.has(lockName(record.id));
          return { record, isRecording, isInterrupted: !record.isEnded && !isRecording };
        }),
      );
    });
  }

  async change(id: string, change: (record: SessionRecord) => SessionRecord): Promise<void> {
    await this.#try(() => this.database.changeSession(id, change));
    await this.refresh();
  }

  async delete(id: string): Promise<void> {
    await this.#try(() => this.database.deleteSession(id));
    await this.refresh();
  }

  async #try(step: () => Promise<void>): Promise<void> {
    try {
      await step();
      this.problem.set(null);
    } catch (error) {
      this.problem.set(storageProblemOf(error));
    }
  }

  async #updateVideo(): Promise<void> {
    const id = this.recorder.sessionId;
    const isWanted = this.keepsVideo.get() && this.recorder.view.get().kind === "recording";
    if (isWanted && id !== null && this.#stream !== null) {
      if (!this.#video.isOn) this.#startVideo(this.#stream, id);
    } else if (this.#video.isOn) {
      await this.#video.stop();
    }
  }

  #startVideo(stream: MediaStream, id: string): void {
    try {
      this.#video.start(stream, id);
    } catch {
      this.keepsVideo.set(false);
      this.problem.set("unavailable");
    }
  }
}
