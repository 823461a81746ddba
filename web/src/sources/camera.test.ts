import { describe, expect, it } from "vitest";
import { Camera, type JoinStreams } from "./camera";
import type { CameraMemory } from "./rememberedCamera";
import type { CameraChoice, SourceState } from "./sourceState";

class FakeTrack extends EventTarget {
  stopped = false;
  constructor(readonly deviceId: string) {
    super();
  }
  stop(): void {
    this.stopped = true;
  }
  getSettings(): MediaTrackSettings {
    return { deviceId: this.deviceId, width: 640, height: 480 };
  }
}

/** Cameras that can be plugged in, taken away and refused. */
class FakeMedia extends EventTarget {
  readonly tracks: FakeTrack[] = [];
  cameras = ["front", "back"];
  readonly labels = new Map<string, string>();
  refusal: string | null = null;
  /** Resolved by the test to let `getUserMedia` answer. */
  gate: Promise<void> = Promise.resolve();

  async getUserMedia({ video }: MediaStreamConstraints): Promise<MediaStream> {
    await this.gate;
    if (this.refusal !== null) throw new DOMException("", this.refusal);
    const wanted =
      typeof video === "object" ? (video.deviceId as ConstrainDOMStringParameters | undefined) : undefined;
    const deviceId = wanted?.exact ?? this.cameras[0];
    if (typeof deviceId !== "string" || !this.cameras.includes(deviceId)) {
      throw new DOMException("", "NotFoundError");
    }
    const track = new FakeTrack(deviceId);
    this.tracks.push(track);
    return { getTracks: () => [track], getVideoTracks: () => [track] } as unknown as MediaStream;
  }

  async enumerateDevices(): Promise<MediaDeviceInfo[]> {
    return this.cameras.map(
      (deviceId) =>
        ({ kind: "videoinput", deviceId, label: this.labels.get(deviceId) ?? "" }) as MediaDeviceInfo,
    );
  }
}

class FakeMemory implements CameraMemory {
  readonly kept = new Map<string, string>();
  getItem(key: string): string | null {
    return this.kept.get(key) ?? null;
  }
  setItem(key: string, value: string): void {
    this.kept.set(key, value);
  }
}

/** Stands for the two pictures in one. */
const JOINED = { getTracks: () => [], getVideoTracks: () => [] } as unknown as MediaStream;
const join: JoinStreams = () => ({ stream: JOINED, stop: () => {} });

function setUp(
  media: FakeMedia | undefined = new FakeMedia(),
  memory: CameraMemory | null = null,
  name: string | null = null,
) {
  const states: SourceState[] = [];
  let choices: readonly CameraChoice[] = [];
  const listener = {
    onState: (state: SourceState) => states.push(state),
    onChoices: (next: readonly CameraChoice[]) => {
      choices = next;
    },
  };
  const camera = new Camera(media, listener, memory, join, name);
  return { camera, states, choices: () => choices, latest: () => states.at(-1) };
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

describe("a camera that a link names", () => {
  it.each(["back", "Logitech C920", "c920"])("is taken once its name is known: %s", async (name) => {
    const media = new FakeMedia();
    media.labels.set("back", "Logitech C920");
    const { camera, latest } = setUp(media, null, name);
    await camera.start();
    expect(latest()).toMatchObject({ kind: "live", deviceId: "back" });
    expect(media.tracks.map(({ stopped }) => stopped)).toEqual([true, false]);
  });

  it("is another one where there is none of that name", async () => {
    const { camera, latest } = setUp(new FakeMedia(), null, "C920");
    await camera.start();
    expect(latest()).toMatchObject({ kind: "live", deviceId: "front" });
  });

  it("gives way to the person's own choice", async () => {
    const media = new FakeMedia();
    media.labels.set("back", "Logitech C920");
    const { camera, latest } = setUp(media, null, "C920");
    await camera.start();
    await camera.choose("front");
    await camera.start();
    expect(latest()).toMatchObject({ kind: "live", deviceId: "front" });
  });
});

describe("Camera", () => {
  it("asks, then is live, and names the cameras that there are", async () => {
    const { camera, states, choices } = setUp();
    await camera.start();
    expect(states.map((state) => state.kind)).toEqual(["asking", "live"]);
    expect(states.at(-1)).toMatchObject({ deviceId: "front", size: { width: 640, height: 480 } });
    expect(choices()).toEqual([
      { deviceId: "front", label: "Camera 1" },
      { deviceId: "back", label: "Camera 2" },
    ]);
  });

  it("says that the page is insecure where the browser hides cameras", async () => {
    const states: SourceState[] = [];
    const listener = { onState: (state: SourceState) => states.push(state), onChoices: () => {} };
    const camera = new Camera(undefined, listener, null, join);
    await camera.start();
    expect(states).toEqual([{ kind: "problem", source: "camera", problem: "insecure", detail: "" }]);
  });

  it("says what is wrong, and works when it is put right", async () => {
    const media = new FakeMedia();
    media.refusal = "NotAllowedError";
    const { camera, latest } = setUp(media);
    await camera.start();
    expect(latest()).toMatchObject({ kind: "problem", problem: "refused" });
    media.refusal = null;
    await camera.start();
    expect(latest()?.kind).toBe("live");
  });

  it("turns the camera's light off when it is stopped", async () => {
    const media = new FakeMedia();
    const { camera, latest } = setUp(media);
    await camera.start();
    camera.stop();
    expect(latest()?.kind).toBe("off");
    expect(media.tracks[0]?.stopped).toBe(true);
  });

  it("stops a camera that answers after the person has changed their mind", async () => {
    const media = new FakeMedia();
    let openGate = () => {};
    media.gate = new Promise((resolve) => {
      openGate = resolve;
    });
    const { camera, latest } = setUp(media);
    const started = camera.start();
    camera.stop();
    openGate();
    await started;
    expect(latest()?.kind).toBe("off");
    expect(media.tracks[0]?.stopped).toBe(true);
  });

  it("changes to another camera and lets go of the first", async () => {
    const media = new FakeMedia();
    const { camera, latest } = setUp(media);
    await camera.start();
    await camera.choose("back");
    expect(latest()).toMatchObject({ kind: "live", deviceId: "back" });
    expect(media.tracks.map((track) => track.stopped)).toEqual([true, false]);
  });

  it("takes any other camera where the chosen one is gone", async () => {
    const media = new FakeMedia();
    const { camera, latest } = setUp(media);
    await camera.start();
    media.cameras = ["front"];
    await camera.choose("back");
    expect(latest()).toMatchObject({ kind: "live", deviceId: "front" });
  });

  it("notices that the camera went away, and comes back when one is plugged in", async () => {
    const media = new FakeMedia();
    const { camera, latest } = setUp(media);
    await camera.start();
    media.tracks[0]?.dispatchEvent(new Event("ended"));
    expect(latest()).toMatchObject({ kind: "problem", problem: "lost" });
    media.dispatchEvent(new Event("devicechange"));
    await settled();
    expect(latest()?.kind).toBe("live");
  });

  it("does not start by itself, after a device change, what the person has stopped", async () => {
    const media = new FakeMedia();
    const { camera, latest } = setUp(media);
    await camera.start();
    camera.stop();
    media.dispatchEvent(new Event("devicechange"));
    await settled();
    expect(latest()?.kind).toBe("off");
  });

  it("remembers the chosen camera for the next visit", async () => {
    const memory = new FakeMemory();
    const first = setUp(new FakeMedia(), memory);
    await first.camera.start();
    await first.camera.choose("back");
    const { camera, latest } = setUp(new FakeMedia(), memory);
    await camera.start();
    expect(latest()).toMatchObject({ kind: "live", deviceId: "back" });
  });

  it("knows the chosen camera by its name where browsers give it another id", async () => {
    const media = new FakeMedia();
    media.labels.set("back-2", "Back camera");
    media.cameras = ["front", "back-2"];
    const memory = new FakeMemory();
    memory.setItem("emostream.camera", JSON.stringify({ deviceId: "back", label: "Back camera" }));
    const { camera, latest } = setUp(media, memory);
    await camera.start();
    media.dispatchEvent(new Event("devicechange"));
    await settled();
    expect(latest()).toMatchObject({ kind: "live", deviceId: "back-2" });
  });

  it("bears a memory that holds something else, or is forbidden", async () => {
    const broken = new FakeMemory();
    broken.setItem("emostream.camera", '{"deviceId": 7}');
    const forbidden: CameraMemory = {
      getItem: () => {
        throw new Error("forbidden");
      },
      setItem: () => {
        throw new Error("forbidden");
      },
    };
    for (const memory of [broken, forbidden]) {
      const { camera, latest } = setUp(new FakeMedia(), memory);
      await camera.start();
      await camera.choose("back");
      expect(latest()).toMatchObject({ kind: "live", deviceId: "back" });
    }
  });

  it("goes back to the chosen camera once that is plugged in again", async () => {
    const media = new FakeMedia();
    const { camera, latest } = setUp(media);
    await camera.start();
    await camera.choose("back");
    media.cameras = ["front"];
    media.tracks.at(-1)?.dispatchEvent(new Event("ended"));
    media.dispatchEvent(new Event("devicechange"));
    await settled();
    expect(latest()).toMatchObject({ kind: "live", deviceId: "front" });
    media.cameras = ["front", "back"];
    media.dispatchEvent(new Event("devicechange"));
    await settled();
    expect(latest()).toMatchObject({ kind: "live", deviceId: "back" });
  });

  it("shows two cameras as one picture, and lets go of both", async () => {
    const media = new FakeMedia();
    const { camera, latest } = setUp(media);
    await camera.start();
    await camera.chooseSecond("back");
    expect(latest()).toMatchObject({ stream: JOINED, second: { kind: "live", deviceId: "back" } });
    camera.stop();
    expect(media.tracks.map((track) => track.stopped)).toEqual([true, true, true]);
  });

  it("shows the first camera alone where the second is away, and both once it is there", async () => {
    const media = new FakeMedia();
    media.cameras = ["front"];
    const { camera, latest } = setUp(media);
    await camera.start();
    await camera.chooseSecond("back");
    expect(latest()).toMatchObject({ kind: "live", second: { kind: "problem", problem: "missing" } });
    media.cameras = ["front", "back"];
    media.dispatchEvent(new Event("devicechange"));
    await settled();
    expect(latest()).toMatchObject({ kind: "live", second: { kind: "live" } });
  });

  it("notices that the second camera went away", async () => {
    const media = new FakeMedia();
    const { camera, latest } = setUp(media);
    await camera.start();
    await camera.chooseSecond("back");
    media.tracks.at(-1)?.dispatchEvent(new Event("ended"));
    expect(latest()).toMatchObject({ kind: "problem", problem: "lost" });
  });
});
