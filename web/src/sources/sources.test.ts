import { describe, expect, it } from "vitest";
import type { MediaDecoder } from "./mediaFile";
import type { SourceState } from "./sourceState";
import { Sources, type SourcesOptions } from "./sources";

class FakeTrack extends EventTarget {
  stopped = false;
  stop(): void {
    this.stopped = true;
  }
  getSettings(): MediaTrackSettings {
    return { deviceId: "front", width: 640, height: 480 };
  }
}

function streamOf(track: FakeTrack): MediaStream {
  return { getTracks: () => [track], getVideoTracks: () => [track] } as unknown as MediaStream;
}

/** A camera, and a screen that can be refused. */
class FakeMedia extends EventTarget {
  readonly camera = new FakeTrack();
  readonly screen = new FakeTrack();
  refusal: string | null = null;
  getUserMedia = async () => streamOf(this.camera);
  enumerateDevices = async () => [];
  getDisplayMedia = async () => {
    if (this.refusal !== null) throw new DOMException("", this.refusal);
    return streamOf(this.screen);
  };
}

const decoder: MediaDecoder = {
  imagePixels: async () => 512 * 512,
  playVideo: async () => {},
};

function setUp(options: Partial<SourcesOptions> = {}) {
  const media = new FakeMedia();
  const states: SourceState[] = [];
  const sources = new Sources({
    media,
    memory: null,
    join: (stream) => ({ stream, stop: () => {} }),
    decoder,
    onState: (state) => states.push(state),
    onCameras: () => {},
    ...options,
  });
  return { media, sources, states, latest: () => states.at(-1) };
}

const film = new File(["film"], "film.webm", { type: "video/webm" });
const portrait = new File(["portrait"], "portrait.png", { type: "image/png" });

describe("Sources", () => {
  it("shows a file in place of the camera, whose light goes out", async () => {
    const { media, sources, states, latest } = setUp();
    await sources.startCamera();
    await sources.openFile(film);
    expect(latest()).toMatchObject({ kind: "live", source: "video", name: "film.webm" });
    expect(media.camera.stopped).toBe(true);
    // Nobody is told "off" in between.
    expect(states.map((state) => state.kind)).toEqual(["asking", "live", "live"]);
  });

  it("lets go of a file once something else is shown", async () => {
    const { sources, latest } = setUp();
    await sources.openFile(portrait);
    const shown = latest();
    const url = shown?.kind === "live" && shown.source === "image" ? shown.url : "";
    expect(url).toMatch(/^blob:/);
    await sources.startCamera();
    expect(latest()).toMatchObject({ kind: "live", source: "camera" });
    await expect(fetch(url)).rejects.toThrow();
  });

  it("says that a file is neither video nor image", async () => {
    const { sources, latest } = setUp();
    await sources.openFile(new File([""], "notes.txt", { type: "text/plain" }));
    expect(latest()).toMatchObject({ kind: "problem", problem: "not_media", detail: "notes.txt" });
  });

  it("says that a file cannot be read, or is too large", async () => {
    const unreadable = () => Promise.reject(new Error("no such codec"));
    const broken = setUp({ decoder: { imagePixels: unreadable, playVideo: unreadable } });
    await broken.sources.openFile(film);
    expect(broken.latest()).toMatchObject({ kind: "problem", problem: "unreadable", detail: "film.webm" });
    const huge = setUp({ decoder: { ...decoder, imagePixels: async () => 4e8 } });
    await huge.sources.openFile(portrait);
    expect(huge.latest()).toMatchObject({ kind: "problem", problem: "too_large" });
  });

  it("shows a screen until its sharing is ended", async () => {
    const { media, sources, latest } = setUp();
    await sources.shareScreen();
    expect(latest()).toMatchObject({ kind: "live", source: "screen" });
    media.screen.dispatchEvent(new Event("ended"));
    expect(latest()).toEqual({ kind: "off" });
  });

  it("keeps what is shown where the person decides against sharing", async () => {
    const { media, sources, latest } = setUp();
    await sources.startCamera();
    media.refusal = "NotAllowedError";
    await sources.shareScreen();
    expect(latest()).toMatchObject({ kind: "live", source: "camera" });
    expect(media.camera.stopped).toBe(false);
  });

  it("says that a browser cannot share a screen, or a system does not let it", async () => {
    const { media, sources, latest } = setUp();
    media.refusal = "NotReadableError";
    await sources.shareScreen();
    expect(latest()).toMatchObject({ kind: "problem", problem: "sharing_failed" });
    const without = setUp({ media: undefined });
    await without.sources.shareScreen();
    expect(without.latest()).toMatchObject({ kind: "problem", problem: "no_sharing" });
  });

  it("is off when it is stopped, whatever was shown", async () => {
    const { media, sources, latest } = setUp();
    await sources.shareScreen();
    sources.stop();
    expect(latest()).toEqual({ kind: "off" });
    expect(media.screen.stopped).toBe(true);
  });

  it("takes a camera that is chosen while a file is shown", async () => {
    const { sources, latest } = setUp();
    await sources.openFile(film);
    await sources.chooseCamera("front");
    expect(latest()).toMatchObject({ kind: "live", source: "camera" });
  });
});
