import { useState } from "react";
import { useTranslation } from "react-i18next";
import { BACKENDS } from "../../detection/backends";
import { MAX_FACES, MAX_SMOOTHING, THEMES } from "../../engine/settings/parameters";
import { languageName, LANGUAGES } from "../../i18n/i18n";
import { MAX_INTERVAL_MS, MIN_INTERVAL_MS } from "../../stream/interval";
import { Facts } from "../consent/Consent";
import { formatNumber, formatPercent } from "../format";
import { useLive } from "../liveContext";
import { useStore } from "../useStore";
import { Choice, Slider, Switch } from "./fields";
import { RateReading } from "./RateReading";

/** What can be set, in the drawer. */
export function SettingsFields() {
  const { t, i18n } = useTranslation();
  const { settings, stores } = useLive();
  const values = useStore(settings.values, (value) => value);
  const config = useStore(stores.session, (session) => session?.config ?? null);
  const servers = useStore(stores.about, (about) => about?.servers ?? NO_SERVERS);
  const smoothing = values.smoothing ?? config?.smoothing ?? 0;
  const percent = (value: number) => formatPercent(value, i18n.language);
  return (
    <div className="drawer-body">
      <fieldset>
        <legend>{t("settings.recognition")}</legend>
        <Slider
          name="interval"
          label={t("settings.interval")}
          hint={<RateReading />}
          value={values.interval}
          min={MIN_INTERVAL_MS}
          max={MAX_INTERVAL_MS}
          step={10}
          shown={`${formatNumber(values.interval, i18n.language)} ms`}
          onChange={(value) => settings.set("interval", value)}
        />
        <Slider
          name="smoothing"
          label={t("settings.smoothing")}
          hint={t("settings.smoothing_hint")}
          value={smoothing}
          min={0}
          max={MAX_SMOOTHING}
          step={0.05}
          shown={smoothing === 0 ? t("settings.off") : formatNumber(smoothing, i18n.language, 2)}
          onChange={(value) => settings.set("smoothing", value)}
        />
        <Slider
          name="threshold"
          label={t("settings.threshold")}
          hint={t("settings.threshold_hint")}
          value={values.threshold}
          min={0}
          max={1}
          step={0.05}
          shown={values.threshold === 0 ? t("settings.off") : percent(values.threshold)}
          onChange={(value) => settings.set("threshold", value)}
        />
        <Slider
          name="faces"
          label={t("settings.faces")}
          value={values.faces ?? config?.max_faces ?? 8}
          min={1}
          max={MAX_FACES}
          step={1}
          shown={formatNumber(values.faces ?? config?.max_faces ?? 8, i18n.language)}
          onChange={(value) => settings.set("faces", value)}
        />
        <Choice
          name="backend"
          label={t("settings.backend")}
          value={values.backend}
          options={(["auto", ...BACKENDS] as const).map((backend) => ({
            value: backend,
            words: backend === "auto" ? t("settings.backend_auto") : backend,
          }))}
          onChange={(value) => settings.set("backend", value)}
        />
      </fieldset>
      <fieldset>
        <legend>{t("settings.appearance")}</legend>
        <Choice
          name="theme"
          label={t("settings.theme")}
          value={values.theme}
          options={THEMES.map((theme) => ({ value: theme, words: t(`settings.theme_${theme}`) }))}
          onChange={(value) => settings.set("theme", value)}
        />
        <Choice
          name="lang"
          label={t("settings.language")}
          value={values.lang === null ? "" : i18n.language}
          options={[
            { value: "", words: t("settings.language_browser") },
            ...LANGUAGES.map((language) => ({ value: language, words: languageName(language) })),
          ]}
          onChange={(value) => settings.set("lang", value === "" ? null : value)}
        />
        <Switch
          name="mirror"
          label={t("settings.mirror")}
          value={values.mirror}
          onChange={(value) => settings.set("mirror", value)}
        />
      </fieldset>
      <fieldset>
        <legend>{t("settings.server_title")}</legend>
        {servers.length > 0 && (
          <Choice
            name="server"
            label={t("settings.server")}
            value={values.server ?? ""}
            options={[
              { value: "", words: t("settings.server_own", { host: window.location.host }) },
              ...servers.map((server) => ({ value: server, words: new URL(server).host })),
            ]}
            onChange={(value) => settings.set("server", value === "" ? null : value)}
          />
        )}
        <Token />
      </fieldset>
      <CopyLink />
      <details className="drawer-privacy">
        <summary>{t("settings.privacy")}</summary>
        <Facts />
      </details>
    </div>
  );
}

const NO_SERVERS: readonly string[] = [];

function Token() {
  const { t } = useTranslation();
  const { settings } = useLive();
  const token = useStore(settings.token, (value) => value);
  const [typed, setTyped] = useState(token ?? "");
  return (
    <form
      className="field"
      onSubmit={(event) => {
        event.preventDefault();
        settings.setToken(typed);
      }}
    >
      <label htmlFor="setting-token">{t("settings.token")}</label>
      <div className="field-row">
        <input
          id="setting-token"
          className="input"
          type="password"
          autoComplete="off"
          value={typed}
          aria-describedby="setting-token-hint"
          onChange={(event) => setTyped(event.target.value)}
        />
        <button type="submit" className="button">
          {t("settings.token_use")}
        </button>
      </div>
      <p id="setting-token-hint" className="field-hint">
        {t("settings.token_hint")}
      </p>
    </form>
  );
}

function CopyLink() {
  const { t } = useTranslation();
  const { settings } = useLive();
  const [copied, setCopied] = useState<"yes" | "no" | null>(null);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(settings.link());
      setCopied("yes");
    } catch {
      setCopied("no");
    }
  };
  return (
    <div className="field">
      <button type="button" className="button" data-testid="copy-link" onClick={() => void copy()}>
        {t("settings.link")}
      </button>
      <p className="field-hint" role="status">
        {copied === null
          ? t("settings.link_hint")
          : t(copied === "yes" ? "settings.link_copied" : "settings.link_refused")}
      </p>
    </div>
  );
}
