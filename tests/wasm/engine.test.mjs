/** The engine's module as the page ships it, run in Node. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

const engine = new URL("../../web/gen/engine/", import.meta.url);
const { default: init, Session, version } = await import(new URL("engine.js", engine).href);
await init({ module_or_path: await readFile(new URL("engine_bg.wasm", engine)) });

test("the module tells its version", async () => {
  const manifest = await readFile(new URL("../../Cargo.toml", import.meta.url), "utf8");
  assert.equal(version(), /^version = "(.*)"$/m.exec(manifest)[1]);
});

test("a request that nobody knows is refused, and the session lives on", () => {
  const session = new Session();
  assert.throws(() => session.handle({ kind: "nonsense" }), /nonsense/);
  assert.throws(() => session.handle({ kind: "nonsense" }), /nonsense/);
});
