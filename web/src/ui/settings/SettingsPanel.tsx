import "./settings.css";
import { lazy, Suspense, useCallback, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useShortcut } from "../shortcuts/shortcuts";

// Most visits never open the drawer.
const SettingsFields = lazy(async () => ({ default: (await import("./SettingsFields")).SettingsFields }));

/** The button in the header, and the drawer that it opens. All of it stands in the address, but for the token. */
export function SettingsPanel() {
  const { t } = useTranslation();
  const drawer = useRef<HTMLDialogElement>(null);
  const [isOpen, setOpen] = useState(false);
  const open = useCallback(() => {
    setOpen(true);
    drawer.current?.showModal();
  }, []);
  useShortcut("s", t("shortcuts.settings"), open);
  return (
    <>
      <button type="button" className="button" data-testid="open-settings" onClick={open}>
        {t("settings.title")}
      </button>
      <dialog
        ref={drawer}
        className="drawer"
        aria-labelledby="settings-title"
        data-testid="settings"
        onClose={() => setOpen(false)}
      >
        <div className="drawer-head">
          <h2 id="settings-title">{t("settings.title")}</h2>
          <form method="dialog">
            <button type="submit" className="button button-small">
              {t("settings.close")}
            </button>
          </form>
        </div>
        <Suspense>{isOpen && <SettingsFields />}</Suspense>
      </dialog>
    </>
  );
}
