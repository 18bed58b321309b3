/** The page's end of the worker. */

import type { Request } from "layerwise-engine";
import type { Engine, EngineModule, FromWorker, ToWorker } from "./api";

/** The worker's script beside this one; the build fills in the name. */
declare const WORKER: string;

type Listener = (message: FromWorker) => void;

/** An engine in a worker. How it stands is also said by `data-engine` at the page's root element. */
class WorkerEngine implements Engine {
  readonly #worker = new Worker(new URL(WORKER, import.meta.url), { type: "module", name: "engine" });
  /** What arrived before anybody listened. */
  #early: FromWorker[] = [];
  #listener: Listener | undefined;
  #stopped = false;

  constructor() {
    document.documentElement.dataset["engine"] = "loading";
    this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#hear(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#hear({ kind: "crashed", error: event.message || "the engine's script could not be loaded" });
    };
  }

  listen(listener: Listener): void {
    queueMicrotask(() => {
      this.#listener = listener;
      this.#early.splice(0).forEach((message) => this.#hear(message));
    });
  }

  send(id: number, request: Request): void {
    this.#worker.postMessage({ id, request } satisfies ToWorker);
  }

  preload(): void {
    this.#worker.postMessage("preload" satisfies ToWorker);
  }

  stop(): void {
    this.#stopped = true;
    this.#worker.terminate();
  }

  #hear(message: FromWorker): void {
    if (this.#stopped) {
      return;
    }
    if (message.kind === "ready" || message.kind === "crashed") {
      document.documentElement.dataset["engine"] = message.kind;
    }
    if (this.#listener === undefined) {
      this.#early.push(message);
    } else {
      this.#listener(message);
    }
  }
}

/** Starts loading an engine at once, for the first `start` to find. */
export function engineModule(): EngineModule {
  let last = new WorkerEngine();
  let started = false;
  return {
    start(listener) {
      if (started) {
        last = new WorkerEngine();
      }
      started = true;
      last.listen(listener);
      return last;
    },
    preload: () => last.preload(),
  };
}
