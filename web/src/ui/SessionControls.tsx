import { download } from "./download";
import { useLive } from "./liveContext";
import { toCsv, toJson } from "../engine/sessionLog";
import { MAX_SMOOTHING } from "../engine/smoothing";
import { useStore } from "./useStore";

export function SessionControls() {
  const live = useLive();
  const smoothing = useStore(live.stores.smoothing, (value) => value);
  return (
    <section className="controls" aria-label="Settings and export">
      <div className="control">
        <label htmlFor="smoothing">Smoothing</label>
        <output className="num" htmlFor="smoothing">
          {smoothing === 0 ? "off" : smoothing.toFixed(2)}
        </output>
        <input
          id="smoothing"
          type="range"
          min={0}
          max={MAX_SMOOTHING}
          step={0.05}
          value={smoothing}
          aria-describedby="smoothing-hint"
          onChange={(event) => live.setSmoothing(event.target.valueAsNumber)}
        />
        <p id="smoothing-hint" className="quiet control-hint">
          Steadier, but slower to follow. Remembered in this browser.
        </p>
      </div>
      <div className="control control-export">
        <span>Save what was seen</span>
        <button
          type="button"
          className="button button-small"
          onClick={() => download(fileName("csv"), "text/csv", toCsv(live.log.entries()))}
        >
          CSV
        </button>
        <button
          type="button"
          className="button button-small"
          onClick={() => download(fileName("json"), "application/json", toJson(live.log.entries()))}
        >
          JSON
        </button>
      </div>
    </section>
  );
}

function fileName(extension: string): string {
  return `emostream-${new Date().toISOString().slice(0, 19).replaceAll(":", "-")}.${extension}`;
}
