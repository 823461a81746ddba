import i18next from "i18next";
import type { Settings } from "../engine/settings/settings";
import { LANGUAGES, speak } from "../i18n/i18n";
import { chooseLanguage } from "../i18n/languages";

/** Keeps what stands on the document itself in step: language, theme and view. */
export function followAppearance(settings: Settings): void {
  const { documentElement } = document;
  let language = i18next.language;
  const show = () => {
    const { theme, view, lang } = settings.values.get();
    documentElement.dataset.theme = theme;
    documentElement.dataset.view = view;
    const wanted = chooseLanguage([lang, ...navigator.languages], LANGUAGES);
    if (wanted === language) return;
    language = wanted;
    void speak(wanted);
  };
  const showLanguage = () => {
    documentElement.lang = i18next.language;
    documentElement.dir = i18next.dir();
  };
  show();
  showLanguage();
  settings.values.subscribe(show);
  i18next.on("languageChanged", showLanguage);
}
