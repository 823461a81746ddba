import { useTranslation } from "react-i18next";
import { download } from "./download";
import { useLive } from "./liveContext";
import { toCsv, toJson } from "../engine/sessionLog";

export function SessionControls() {
  const { t } = useTranslation();
  const live = useLive();
  return (
    <section className="controls" aria-label={t("export.title")}>
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
