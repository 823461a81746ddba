import { useTranslation } from "react-i18next";
import { formatNumber } from "../format";
import { useLive } from "../liveContext";
import { useStore } from "../useStore";

/** The rate that is reached, and what keeps it there. */
export function RateReading() {
  const { t, i18n } = useTranslation();
  const { stores } = useLive();
  const rate = useStore(stores.rate, (value) => value);
  return (
    <span data-testid="rate" data-limited-by={rate?.limitedBy}>
      {rate === null
        ? t("rate.nothing")
        : `${t("rate.reached", { rate: formatNumber(rate.sentPerSecond, i18n.language, 1) })} ${t(`rate.limit.${rate.limitedBy}`)}`}
    </span>
  );
}
