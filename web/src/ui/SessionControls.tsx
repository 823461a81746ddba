import { useTranslation } from "react-i18next";
import { download } from "./download";
import { formatNumber } from "./format";
import { useLive } from "./liveContext";
import { toCsv, toJson } from "../engine/sessionLog";
import { MAX_SMOOTHING } from "../engine/smoothing";
import { useStore } from "./useStore";

export function SessionControls() {
  const { t, i18n } = useTranslation();
  const live = useLive();
  const smoothing = useStore(live.stores.smoothing, (value) => value);
  return (
    <section className="controls" aria-label={t("settings.title")}>
      <div className="control">
        <label htmlFor="smoothing">{t("settings.smoothing")}</label>
        <output className="num" htmlFor="smoothing">
          {smoothing === 0 ? t("settings.off") : formatNumber(smoothing, i18n.language, 2)}
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
          {t("settings.smoothing_hint")}
        </p>
      </div>
      <div className="control control-export">
        <span>{t("export.title")}</span>
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
