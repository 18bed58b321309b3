/**
 * The page's only script of its own: starts the engine's worker and loads the editor while the app's
 * module arrives, then runs the app.
 */

import type { EditorModule } from "./editor/api";
import type { EngineModule } from "./worker/api";
import { engineModule } from "./worker/client";

declare global {
  var layerwiseEngine: EngineModule;
  var layerwiseEditor: EditorModule;
}

/** The editor's script beside this one; the build fills in the name. */
declare const EDITOR: string;

/** What wasm-bindgen makes of the app. */
interface App {
  default(options: { module_or_path: URL }): Promise<unknown>;
}

/** Where the build put the app: written into the page by Trunk. */
function place(part: "js" | "wasm"): URL {
  const meta = document.querySelector<HTMLMetaElement>("meta[name='layerwise-app']");
  return new URL(meta?.dataset[part] ?? "", document.baseURI);
}

async function start(): Promise<void> {
  globalThis.layerwiseEngine = engineModule();
  const [app, editor] = await Promise.all([
    import(place("js").href) as Promise<App>,
    import(new URL(EDITOR, import.meta.url).href) as Promise<EditorModule>,
  ]);
  globalThis.layerwiseEditor = editor;
  await app.default({ module_or_path: place("wasm") });
  document.documentElement.dataset["app"] = "ready";
}

start().catch((error: unknown) => {
  const message = document.createElement("p");
  message.setAttribute("role", "alert");
  message.className = "start-failed";
  message.textContent = `Layerwise could not start: ${String(error)}. Reloading the page may help.`;
  document.body.prepend(message);
  throw error;
});
