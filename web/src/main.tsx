import "@fontsource-variable/geist/wght.css";
import "./ui/styles/index.css";
import { browserSettings, Settings } from "./engine/settings/settings";
import { LANGUAGES, startWords } from "./i18n/i18n";
import { registerServiceWorker } from "./offline/register";
import { chooseLanguage, mendBrowserLanguage } from "./i18n/languages";

mendBrowserLanguage(navigator);
const settings = new Settings(browserSettings());
const language = chooseLanguage([settings.values.get().lang, ...navigator.languages], LANGUAGES);
// The page's libraries are loaded only now, since some hand the browser's language to Intl.
const [{ drawPage }] = await Promise.all([import("./page"), startWords(language)]);
await drawPage(settings);

// In production only: while developing, what was kept would hide what is new. After the page's own files, so that the
// service worker finds them in the browser's cache.
if (import.meta.env.PROD) void registerServiceWorker(navigator.serviceWorker);
