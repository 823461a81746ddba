import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { SessionConfig } from "../stream/protocol";
import { ConfigSync } from "./configSync";
import { Settings } from "./settings/settings";

const SERVERS_OWN: SessionConfig = { smoothing: 0.2, max_faces: 8 };

function setUp(query = "") {
  const settings = new Settings({
    address: new URL(`http://localhost/${query}`),
    replaceAddress: () => {},
    lasting: null,
    ofTab: null,
  });
  const sent: Partial<SessionConfig>[] = [];
  return { settings, sent, sync: new ConfigSync(settings, (config) => sent.push(config)) };
}

describe("ConfigSync", () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it("leaves a session as the server made it where no setting says otherwise", () => {
    const { sync, sent } = setUp();
    sync.onSession(SERVERS_OWN);
    expect(sent).toEqual([]);
  });

  it("tells each new session what the settings say", () => {
    const { sync, sent } = setUp("?smoothing=0.6&faces=2");
    sync.onSession(SERVERS_OWN);
    sync.onConfig({ smoothing: 0.6, max_faces: 2 });
    sync.onEnd();
    sync.onSession(SERVERS_OWN);
    expect(sent).toEqual(Array(2).fill({ smoothing: 0.6, max_faces: 2 }));
  });

  it("has as many faces in a frame as the page's pace wants, where no setting says it", () => {
    const { sync, sent } = setUp();
    sync.onSession(SERVERS_OWN, () => 5);
    expect(sent).toEqual([{ max_faces: 5 }]);
  });

  it("tells a change once, when the slider rests", () => {
    const { sync, sent, settings } = setUp();
    sync.onSession(SERVERS_OWN);
    for (const smoothing of [0.3, 0.4, 0.5]) settings.set("smoothing", smoothing);
    vi.advanceTimersByTime(1000);
    expect(sent).toEqual([{ smoothing: 0.5 }]);
  });

  it("asks once for what a server refuses", () => {
    const { sync, sent } = setUp("?faces=32");
    sync.onSession(SERVERS_OWN);
    sync.onConfig(SERVERS_OWN);
    expect(sent).toEqual([{ max_faces: 32 }]);
  });
});
