/**
 * The worker's thread: loads the engine, answers one request after the other, and fetches the parts
 * of the catalog that a build turns out to need.
 */

import init, { type Reply, type Request, Session, version } from "layerwise-engine";
import type { FromWorker, ToWorker } from "./api";

/** The engine's modules beside this script; the build fills in the names. */
declare const ENGINE_WASM: string;
declare const REST_WASM: string;

declare global {
  /** What the engine calls when something is wanted that its first module lacks. */
  var layerwiseRest: () => void;
}

/** The catalog, as seen from this script. */
const CATALOG = new URL("../catalog/", import.meta.url);

function say(message: FromWorker): void {
  postMessage(message);
}

function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

let session: Session;

const ready = init({ module_or_path: new URL(ENGINE_WASM, import.meta.url) }).then((engine) => {
  globalThis.layerwiseRest = () => loadRest({ ...engine });
  session = new Session();
  say({ kind: "ready", version: version() });
});
ready.catch((error: unknown) => say({ kind: "crashed", error: words(error) }));

/** The rest of the engine, where it was loaded beforehand. */
let rest: WebAssembly.Module | undefined;

/** Loads the rest of the engine beside the work. Where that fails, it is asked for when it is wanted. */
function preload(): void {
  WebAssembly.compileStreaming(fetch(new URL(REST_WASM, import.meta.url))).then(
    (module) => (rest = module),
    () => undefined,
  );
}

/** Makes the rest of the engine a part of it. */
function loadRest(main: WebAssembly.ModuleImports): void {
  new WebAssembly.Instance(rest ?? fetchRest(), { main });
}

/**
 * Loads the rest of the engine now. The engine waits in the middle of a call, so this cannot be put
 * off: it is a thread of its own that stands still meanwhile, not the page.
 */
function fetchRest(): WebAssembly.Module {
  const request = new XMLHttpRequest();
  request.open("GET", new URL(REST_WASM, import.meta.url), false);
  request.responseType = "arraybuffer";
  try {
    request.send();
  } catch {
    // What went wrong is said by the status: there is none.
  }
  if (request.status !== 200) {
    // What called is left in the middle of things: as after a trap, the instance is of no more use.
    throw new WebAssembly.RuntimeError("a part of the engine could not be loaded");
  }
  return new WebAssembly.Module(request.response as ArrayBuffer);
}

async function supply(name: string): Promise<void> {
  const answer = await fetch(new URL(name, CATALOG));
  if (!answer.ok) {
    throw new Error(`the catalog's ${name} could not be loaded: ${answer.status} ${answer.statusText}`);
  }
  session.supply(name, new Uint8Array(await answer.arrayBuffer()));
}

/** The reply to a request, once the engine has all that it needs for it. */
async function answer(request: Request): Promise<Reply> {
  const supplied = new Set<string>();
  for (;;) {
    const reply = session.handle(request);
    if (reply.kind !== "needs") {
      return reply;
    }
    const again = reply.value.find((name) => supplied.has(name));
    if (again !== undefined) {
      throw new Error(`the catalog's ${again} was supplied, and is still needed`);
    }
    await Promise.all(reply.value.map(supply));
    reply.value.forEach((name) => supplied.add(name));
  }
}

async function serve({ id, request }: Exclude<ToWorker, "preload">): Promise<void> {
  try {
    say({ kind: "response", id, response: await answer(request) });
  } catch (error) {
    // A trap leaves the instance in an undefined state: nothing more can be asked of it.
    if (error instanceof WebAssembly.RuntimeError) {
      say({ kind: "crashed", id, error: words(error) });
      close();
    } else {
      say({ kind: "error", id, error: words(error) });
    }
  }
}

let queue: Promise<void> = ready;
addEventListener("message", ({ data }: MessageEvent<ToWorker>) => {
  if (data !== "preload") {
    queue = queue.then(() => serve(data));
  } else if (REST_WASM !== "") {
    preload();
  }
});
