/**
 * The worker's thread: loads the engine, answers one request after the other, and fetches the parts
 * of the catalog that a build turns out to need.
 */

import init, { Session, version } from "layerwise-engine";
import type { FromWorker, ToWorker } from "./api";

/** The engine's module beside this script; the build fills in the name. */
declare const ENGINE_WASM: string;

/** The catalog, as seen from this script. */
const CATALOG = new URL("../catalog/", import.meta.url);

function say(message: FromWorker): void {
  postMessage(message);
}

function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

let session: Session;

const ready = init({ module_or_path: new URL(ENGINE_WASM, import.meta.url) }).then(() => {
  session = new Session();
  say({ kind: "ready", version: version() });
});
ready.catch((error: unknown) => say({ kind: "crashed", error: words(error) }));

/** The parts of the catalog that a reply asks for. */
function needs(reply: unknown): readonly string[] {
  if (typeof reply === "object" && reply !== null && "kind" in reply && "value" in reply) {
    const { kind, value } = reply;
    if (kind === "needs" && Array.isArray(value)) {
      return value.map(String);
    }
  }
  return [];
}

async function supply(name: string): Promise<void> {
  const answer = await fetch(new URL(name, CATALOG));
  if (!answer.ok) {
    throw new Error(`the catalog's ${name} could not be loaded: ${answer.status} ${answer.statusText}`);
  }
  session.supply(name, new Uint8Array(await answer.arrayBuffer()));
}

async function answer(request: unknown): Promise<unknown> {
  const supplied = new Set<string>();
  for (;;) {
    const response: unknown = session.handle(request);
    const names = needs(response);
    if (names.length === 0) {
      return response;
    }
    const again = names.find((name) => supplied.has(name));
    if (again !== undefined) {
      throw new Error(`the catalog's ${again} was supplied, and is still needed`);
    }
    await Promise.all(names.map(supply));
    names.forEach((name) => supplied.add(name));
  }
}

async function serve({ id, request }: ToWorker): Promise<void> {
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
  queue = queue.then(() => serve(data));
});
