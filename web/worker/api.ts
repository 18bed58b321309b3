/**
 * What the page knows of the engine: the contract between the Yew app and the engine's worker.
 *
 * The start module puts an {@link EngineModule} on `globalThis.layerwiseEngine` before the app runs;
 * the Rust side binds it with `#[wasm_bindgen(js_namespace = layerwiseEngine)]`.
 *
 * Requests and replies are plain data, typed on both sides by the engine's `view` types.
 */

import type { Reply, Request } from "layerwise-engine";

/** The module itself: `globalThis.layerwiseEngine`. */
export interface EngineModule {
  /**
   * Gives an engine in a worker of its own. The first call gets the one that the start module has
   * been loading meanwhile; a further one starts afresh, with an empty session.
   *
   * `listener` is called for every message, in order, the ones from before the call included, and
   * never before `start` has returned.
   */
  start(listener: (message: FromWorker) => void): Engine;
  /** Lets the last engine load what its first module lacks, beside its work. */
  preload(): void;
}

/** A running engine. */
export interface Engine {
  /**
   * Sends a request. It can be sent before the engine is ready; requests are answered in order, one
   * after the other.
   */
  send(id: number, request: Request): void;
  /**
   * Ends the worker at once, whatever it is doing, and drops what it holds; no further message
   * arrives.
   */
  stop(): void;
}

/** What the worker is sent. */
export type ToWorker =
  /** A request, to be answered under its number. */
  | { id: number; request: Request }
  /** Load what the engine's first module lacks, beside the work. */
  | "preload";

/** What the worker says. */
export type FromWorker =
  /** The engine is loaded. */
  | { kind: "ready"; version: string }
  /** The answer to the request `id`. */
  | { kind: "response"; id: number; response: Reply }
  /** The request `id` could not be answered; the session stands as before, the next can be sent. */
  | { kind: "error"; id: number; error: string }
  /**
   * The engine is gone, with its session: it could not be loaded, or it trapped in the request
   * `id`. Start another.
   */
  | { kind: "crashed"; id?: number; error: string };
