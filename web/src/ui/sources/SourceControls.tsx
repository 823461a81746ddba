import { useCallback, useId } from "react";
import { useTranslation } from "react-i18next";
import { useLive } from "../liveContext";
import { useShortcut } from "../shortcuts/shortcuts";
import { useStore } from "../useStore";
import { OpenFileButton } from "./OpenFileButton";
import "./sources.css";

/** Where the person has agreed to be looked at. Before that there is but the question. */
export function SourceControls() {
  const { stores } = useLive();
  const consent = useStore(stores.consent, (given) => given);
  return consent ? <Controls /> : null;
}

/** A menu of what can be looked at, and a button that stops it. */
function Controls() {
  const { t } = useTranslation();
  const live = useLive();
  const source = useStore(live.stores.source, (state) => state);
  const menuId = useId();
  const isOn = source.kind === "live" || source.kind === "asking";
  const isCamera = source.kind === "off" || source.source === "camera";
  const label = t(isOn ? (isCamera ? "camera.stop" : "sources.stop") : "camera.start");
  const toggle = useCallback(() => (isOn ? live.stopCamera() : live.startCamera()), [live, isOn]);
  useShortcut("c", label, toggle);
  const close = () => document.getElementById(menuId)?.hidePopover();
  return (
    <div className="source-controls">
      <button type="button" className="button" popoverTarget={menuId}>
        {t("sources.menu")}
      </button>
      <div id={menuId} popover="auto" className="source-menu">
        <h2>{t("sources.title")}</h2>
        <CameraChoices />
        <OpenFileButton className="source-item" onOpen={close}>
          <strong>{t("sources.file.open")}</strong>
          <span className="quiet">{t("sources.file.hint")}</span>
        </OpenFileButton>
        <button
          type="button"
          className="source-item"
          onClick={() => {
            close();
            live.shareScreen();
          }}
        >
          <strong>{t("sources.screen.share")}</strong>
          <span className="quiet">{t("sources.screen.hint")}</span>
        </button>
        {!isCamera && (
          <button
            type="button"
            className="source-item"
            onClick={() => {
              close();
              live.startCamera();
            }}
          >
            <strong>{t("sources.camera.back")}</strong>
          </button>
        )}
      </div>
      <button
        type="button"
        className={isOn ? "button" : "button button-primary"}
        aria-label={label}
        onClick={toggle}
      >
        <span className="wide-only">{label}</span>
        <span className="narrow-only">{t(isOn ? "camera.stop_short" : "camera.start_short")}</span>
      </button>
    </div>
  );
}

/** Which camera, and which beside it, where there is a choice. */
function CameraChoices() {
  const { t } = useTranslation();
  const live = useLive();
  const source = useStore(live.stores.source, (state) => state);
  const cameras = useStore(live.stores.cameraChoices, (choices) => choices);
  if (cameras.length < 2) return null;
  const shown = source.kind === "live" && source.source === "camera" ? source : null;
  const second = shown?.second ?? { kind: "none" };
  return (
    <div className="source-cameras">
      <label>
        <span>{t("camera.label")}</span>
        <select
          className="select"
          value={shown?.deviceId ?? ""}
          onChange={(event) => live.chooseCamera(event.target.value)}
        >
          {shown === null && <option value="">{t("camera.choose")}</option>}
          {cameras.map(({ deviceId, label }) => (
            <option key={deviceId} value={deviceId}>
              {label}
            </option>
          ))}
        </select>
      </label>
      {shown !== null && (
        <label>
          <span>{t("sources.camera.second")}</span>
          <select
            className="select"
            value={second.kind === "none" ? "" : second.deviceId}
            onChange={({ target: { value } }) => live.chooseSecondCamera(value === "" ? null : value)}
          >
            <option value="">{t("sources.camera.no_second")}</option>
            {cameras
              .filter(({ deviceId }) => deviceId !== shown.deviceId)
              .map(({ deviceId, label }) => (
                <option key={deviceId} value={deviceId}>
                  {label}
                </option>
              ))}
          </select>
        </label>
      )}
      {second.kind === "problem" && (
        <p role="alert" className="quiet">
          {t("sources.camera.second_problem")} {t(`camera.problem.${second.problem}.title`)}
        </p>
      )}
    </div>
  );
}
