/** What the page speaks where nothing else is wanted, or known. */
export const DEFAULT_LANGUAGE = "en";

/**
 * The first of the wanted languages that there is, also in another region's form: `de-AT` finds `de`.
 *
 * @param wanted as settings, addresses and browsers say it; anything that is no language, such as `C`, is passed over
 * @param available BCP 47 tags
 */
export function chooseLanguage(
  wanted: readonly (string | null | undefined)[],
  available: readonly string[],
): string {
  for (const tag of wanted) {
    const parts = (tag ?? "").trim().toLowerCase().replaceAll("_", "-").split("-");
    for (let length = parts.length; length > 0; length--) {
      const prefix = parts.slice(0, length).join("-");
      const found = available.find((language) => language.toLowerCase() === prefix);
      if (found !== undefined) return found;
    }
  }
  return DEFAULT_LANGUAGE;
}

/** Whether `Intl` takes the text for a language. It throws for others. */
export function isLanguageTag(text: string): boolean {
  try {
    return Intl.getCanonicalLocales(text).length > 0;
  } catch {
    return false;
  }
}

/**
 * Gives the browser a language that is one. WebKit under `LANG=C` says that it speaks `C`, and libraries that hand
 * `navigator.language` to `Intl` then throw while they are loaded: so call this before they are.
 */
export function mendBrowserLanguage(browser: Navigator): void {
  if (isLanguageTag(browser.language)) return;
  const value = browser.languages.find(isLanguageTag) ?? DEFAULT_LANGUAGE;
  Object.defineProperty(browser, "language", { value, configurable: true });
}
