import "@fontsource-variable/geist/wght.css";
import "./ui/styles/index.css";
import { createRoot } from "react-dom/client";
import { App } from "./ui/App";
import { createLive } from "./engine/createLive";
import { LiveContext } from "./ui/liveContext";

const root = document.getElementById("root");
if (root === null) throw new Error("the page has no #root");

const live = createLive(new URL(window.location.href));
live.startCamera();

createRoot(root).render(
  <LiveContext value={live}>
    <App />
  </LiveContext>,
);
