import { useState } from "react";
import { useTranslation } from "react-i18next";
import { EXPORT_FORMATS, exportSession, exportSourceOf, fileStem } from "../../engine/export/exportSession";
import { Replay } from "../../engine/recording/replay";
import type { SessionRecord } from "../../engine/recording/session";
import { download } from "../download";
import { emotionWord } from "../format";
import { useLive } from "../liveContext";
import { nameOf } from "./RecordBar";

const CHARTS = ["png", "svg"] as const;

type Format = (typeof EXPORT_FORMATS)[number] | (typeof CHARTS)[number];

/** Takes a session away in one of its formats. */
export function SaveAs({ record }: { readonly record: SessionRecord }) {
  const words = useTranslation();
  const { t, i18n } = words;
  const { sessions } = useLive();
  const [state, setState] = useState<{ readonly kind: "idle" | "saving" } | { readonly reason: string }>({
    kind: "idle",
  });
  const isSaving = "kind" in state && state.kind === "saving";

  const fileOf = async (format: Format) => {
    if (format !== "png" && format !== "svg") {
      const source = await exportSourceOf(sessions.database, record.id);
      if (source === null) throw new Error(t("replay.missing"));
      return await exportSession(source, format);
    }
    const replay = await Replay.open(sessions.database, record.id);
    if (replay === null) throw new Error(t("replay.missing"));
    const { chartPngFile, chartSvgFile } = await import("../timeline/chartFile");
    const { settings, name, startedAtMs } = replay.session;
    const chart = {
      title: name,
      about: [nameOf(new Date(startedAtMs), i18n.language), settings?.model ?? ""].join(", "),
      timeline: replay.timeline,
      events: replay.events,
      span: replay.within,
      originMs: startedAtMs,
      intervalMs: settings?.intervalMs ?? 0,
      groupName: t("timeline.group"),
      words: replay.timeline.labels.map((label) => emotionWord(label, words)),
    };
    const blob = format === "png" ? await chartPngFile(chart) : chartSvgFile(chart);
    return { name: `${fileStem(name, startedAtMs)}.${format}`, blob };
  };

  const save = async (format: Format): Promise<void> => {
    setState({ kind: "saving" });
    try {
      download(await fileOf(format));
      setState({ kind: "idle" });
    } catch (error) {
      setState({ reason: error instanceof Error ? error.message : String(error) });
    }
  };

  return (
    <>
      <select
        className="select select-small"
        aria-label={t("sessions.save")}
        data-testid="save-as"
        disabled={isSaving}
        value=""
        onChange={(event) => void save(event.target.value as Format)}
      >
        <option value="">{isSaving ? t("sessions.saving") : t("sessions.save")}</option>
        {[...EXPORT_FORMATS, ...CHARTS].map((format) => (
          <option key={format} value={format}>
            {t(`sessions.format.${format}`)}
          </option>
        ))}
      </select>
      {"reason" in state && (
        <p className="record-problem" role="alert">
          {t("sessions.save_failed", { reason: state.reason })}
        </p>
      )}
    </>
  );
}
