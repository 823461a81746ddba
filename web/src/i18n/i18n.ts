import i18next, { type i18n } from "i18next";
import { initReactI18next } from "react-i18next";
import en from "./en.json";
import { DEFAULT_LANGUAGE } from "./languages";

export type Words = typeof en;

declare module "i18next" {
  interface CustomTypeOptions {
    defaultNS: "translation";
    resources: { translation: Words };
  }
}

/** A file here is a language. English comes with the page, and stands in for what another language lacks. */
const files = import.meta.glob<Words>(["./*.json", "!./en.json"], { import: "default" });

/** BCP 47 tags, English first. */
export const LANGUAGES: readonly string[] = [
  DEFAULT_LANGUAGE,
  ...Object.keys(files).map((path) => path.slice("./".length, -".json".length)),
];

/** Call once, before the page is drawn. */
export async function startWords(language: string): Promise<i18n> {
  await i18next.use(initReactI18next).init({
    lng: DEFAULT_LANGUAGE,
    fallbackLng: DEFAULT_LANGUAGE,
    resources: { en: { translation: en } },
    interpolation: { escapeValue: false },
    react: { useSuspense: false },
  });
  await speak(language);
  return i18next;
}

/** Changes the page's language, at any time. @param language one of `LANGUAGES` */
export async function speak(language: string): Promise<void> {
  const load = files[`./${language}.json`];
  if (load !== undefined && !i18next.hasResourceBundle(language, "translation")) {
    i18next.addResourceBundle(language, "translation", await load());
  }
  await i18next.changeLanguage(language);
}

/** What the language calls itself. */
export function languageName(language: string): string {
  return new Intl.DisplayNames([language], { type: "language" }).of(language) ?? language;
}
