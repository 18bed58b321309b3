/**
 * The worker's thread: loads the engine, answers one request after the other, and fetches the parts
 * of the catalog that a build turns out to need.
 */

import init, { type Reply, type Request, Session, version } from "layerwise-engine";
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
