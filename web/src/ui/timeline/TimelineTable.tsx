import { useTranslation } from "react-i18next";
import { eventTime, markerLabel, type SessionEvent } from "../../engine/recording/session";
import { clock } from "../../engine/timeline/span";
import type { Lane } from "../../engine/timeline/timeline";
import { emotionWord, formatPercent } from "../format";

export interface TimelineTableProps {
  readonly lanes: readonly Lane[];
  readonly labels: readonly string[];
  readonly events: readonly SessionEvent[];
  readonly originMs: number;
}

/** What the lanes show, in numbers: for those who hear the page, and for all who want them. */
export function TimelineTable({ lanes, labels, events, originMs }: TimelineTableProps) {
  const words = useTranslation();
  const { t, i18n } = words;
  const time = (atMs: number): string => clock((atMs - originMs) / 1000);
  return (
    <details className="timeline-table">
      <summary>{t("timeline.table")}</summary>
      <div className="timeline-table-body">
        <table>
          <caption>{t("timeline.shares")}</caption>
          <thead>
            <tr>
              <th scope="col">{t("timeline.person")}</th>
              <th scope="col">{t("timeline.from")}</th>
              <th scope="col">{t("timeline.to")}</th>
              {labels.map((label) => (
                <th key={label} scope="col" className="label">
                  {emotionWord(label, words)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {lanes.map((lane) => (
              <tr key={lane.name}>
                <th scope="row">{lane.name}</th>
                <td className="num">{time(lane.firstMs)}</td>
                <td className="num">{time(lane.lastMs)}</td>
                {lane.shares.map((share, at) => (
                  <td key={labels[at]} className="num">
                    {formatPercent(share, i18n.language)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
        {events.length > 0 && (
          <table>
            <caption>{t("timeline.events")}</caption>
            <thead>
              <tr>
                <th scope="col">{t("timeline.from")}</th>
                <th scope="col">{t("timeline.to")}</th>
                <th scope="col">{t("timeline.what")}</th>
              </tr>
            </thead>
            <tbody>
              {events.map((event) => (
                <tr key={event.id}>
                  <td className="num">{time(eventTime(event))}</td>
                  <td className="num">
                    {event.kind === "gap" && event.toMs !== null ? time(event.toMs) : "–"}
                  </td>
                  <td>
                    {event.kind === "gap"
                      ? t(`timeline.gap.${event.reason}`)
                      : t("timeline.marker", { label: markerLabel(event) })}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </div>
    </details>
  );
}
