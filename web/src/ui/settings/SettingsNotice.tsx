import { useState } from "react";
import { useTranslation } from "react-i18next";
import { type Parameter, PARAMETERS, type Rejection, writeParameter } from "../../engine/settings/parameters";
import { useLive } from "../liveContext";

/** Says so where the page does not do what its address asks for. */
export function SettingsNotice() {
  const { t } = useTranslation();
  const { settings } = useLive();
  const [dismissed, setDismissed] = useState(false);
  if (settings.rejected.length === 0 || dismissed) return null;
  return (
    <div className="notice" role="status" data-testid="interval-notice">
      <div>
        {settings.rejected.map((rejection) => (
          <RejectionWords key={rejection.name} {...rejection} />
        ))}
      </div>
      <button type="button" className="button button-quiet" onClick={() => setDismissed(true)}>
        {t("notice.dismiss")}
      </button>
    </div>
  );
}

function RejectionWords({ name, asked, because }: Rejection) {
  const { t } = useTranslation();
  const { settings } = useLive();
  const { range } = PARAMETERS[name] as Parameter<unknown>;
  const used = writeParameter(settings.values.get()[name]) ?? t("notice.usual");
  const values = { name, asked, used, ...range };
  if (because === "out of range") {
    return <p>{t(name === "interval" ? "notice.interval_out_of_range" : "notice.out_of_range", values)}</p>;
  }
  return <p>{t(name === "interval" ? "notice.interval_not_a_number" : "notice.not_understood", values)}</p>;
}
