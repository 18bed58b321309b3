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
  /** What the app calls when a view is wanted that its first module lacks. */
  var layerwiseRest: () => void;
}

/** The editor's script beside this one; the build fills in the name. */
declare const EDITOR: string;

/** What wasm-bindgen makes of the app. */
interface App {
  default(options: { module_or_path: URL }): Promise<WebAssembly.Exports>;
  preload(): void;
  run(): void;
}

/** Where the build put the app: written into the page by Trunk, and the rest by the build. */
function place(part: "js" | "wasm" | "rest"): URL {
  const meta = document.querySelector<HTMLMetaElement>("meta[name='layerwise-app']");
  return new URL(meta?.dataset[part] ?? "", document.baseURI);
}

/** What counts as a touch of the page. */
const TOUCHES = ["pointermove", "pointerdown", "keydown"] as const;

/** Calls `act` with the first touch of the page. */
function withFirstTouch(act: () => void): void {
  const touched = () => {
    TOUCHES.forEach((touch) => removeEventListener(touch, touched, true));
    act();
  };
  TOUCHES.forEach((touch) => addEventListener(touch, touched, { capture: true, passive: true }));
}

/**
 * Lets the app load the views that are not shown when the page opens: with the first touch of the
 * page, so that they are there when they are wanted. Where one is wanted before, the page waits.
 */
function restOfApp(main: WebAssembly.ModuleImports, app: App): void {
  const address = place("rest");
  if (address.href === document.baseURI) {
    return;
  }
  let module: WebAssembly.Module | undefined;
  let loaded = false;
  globalThis.layerwiseRest = () => {
    if (!loaded) {
      new WebAssembly.Instance(module ?? new WebAssembly.Module(fetchNow(address)), { main });
      loaded = true;
    }
  };
  withFirstTouch(() => {
    WebAssembly.compileStreaming(fetch(address)).then(
      (compiled) => {
        module = compiled;
        app.preload();
      },
      // The view that wants it asks again.
      () => undefined,
    );
  });
}

/** The bytes at an address, at once: the app waits in the middle of a call. */
function fetchNow(address: URL): Uint8Array<ArrayBuffer> {
  const request = new XMLHttpRequest();
  request.open("GET", address, false);
  // A page's own thread gets nothing but text when it waits: this charset leaves bytes as they are.
  request.overrideMimeType("text/plain; charset=x-user-defined");
  request.send();
  if (request.status !== 200) {
    throw new Error(`a part of the page could not be loaded: ${request.status}`);
  }
  return Uint8Array.from(request.responseText, (letter) => letter.charCodeAt(0) & 0xff);
}

async function start(): Promise<void> {
  globalThis.layerwiseEngine = engineModule();
  const [app, editor] = await Promise.all([
    import(place("js").href) as Promise<App>,
    import(new URL(EDITOR, import.meta.url).href) as Promise<EditorModule>,
  ]);
  globalThis.layerwiseEditor = editor;
  restOfApp((await app.default({ module_or_path: place("wasm") })) as WebAssembly.ModuleImports, app);
  app.run();
  withFirstTouch(() => globalThis.layerwiseEngine.preload());
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
