/**
 * The engine's module as the page ships it, run in Node: the scripts of `scripts.json` get the very
 * replies of the native engine, which `cargo xtask test` has written to `target/wasm/replies.json`.
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { describe, test } from "node:test";

const root = new URL("../../", import.meta.url);
const json = async (path) => JSON.parse(await readFile(new URL(path, root), "utf8"));

const { default: init, Session, version } = await import(new URL("web/gen/engine/engine.js", root).href);
const engine = await init({ module_or_path: await readFile(new URL("web/gen/engine/engine_bg.wasm", root)) });

/** How often the rest of the engine was asked for. */
let asked = 0;
globalThis.layerwiseRest = () => {
  asked += 1;
  const rest = readFileSync(new URL("web/gen/engine/engine_rest.wasm", root));
  new WebAssembly.Instance(new WebAssembly.Module(rest), { main: { ...engine } });
};

/** The final reply to a request, after all that it needs and all that it takes. */
async function answer(session, request) {
  for (;;) {
    const reply = session.handle(request);
    if (reply.kind === "needs") {
      for (const name of reply.value) {
        session.supply(name, await readFile(new URL(`public/catalog/${name}`, root)));
      }
    } else if (reply.kind === "progress") {
      request = { kind: "continue" };
    } else {
      return reply;
    }
  }
}

/** What structured cloning and JSON have in common: no difference of absent and null, of list and buffer. */
function plain(value) {
  if (value instanceof Uint8Array) {
    return [...value];
  }
  if (Array.isArray(value)) {
    return value.map(plain);
  }
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).filter(([, inner]) => inner !== undefined && inner !== null);
    return Object.fromEntries(entries.map(([key, inner]) => [key, plain(inner)]));
  }
  return value;
}

test("the module tells its version", async () => {
  const manifest = await readFile(new URL("Cargo.toml", root), "utf8");
  assert.equal(version(), /^version = "(.*)"$/m.exec(manifest)[1]);
});

test("opening an example asks for no more than the first module", async () => {
  const source = await readFile(new URL("public/plays/node-bad-order.md", root), "utf8");
  const session = new Session();
  assert.equal((await answer(session, { kind: "openPlay", source })).kind, "state");
  assert.equal(asked, 0);
});

test("what is no request is an error, and the session lives on", async () => {
  const session = new Session();
  assert.throws(() => session.handle({ kind: "nonsense" }), /nonsense/);
  assert.throws(() => session.handle(undefined));
  assert.equal(session.handle({ kind: "refresh" }).kind, "state");
});

test("a build ends in the digest of a real image", async () => {
  const { "build, rebuild and compare": replies } = await json("target/wasm/replies.json");
  assert.match(JSON.stringify(replies[6].value), /"sha256:[0-9a-f]{64}"/);
});

describe("scripts get the native engine's replies", async () => {
  const scripts = await json("tests/wasm/scripts.json");
  const expected = await json("target/wasm/replies.json");
  for (const [name, requests] of Object.entries(scripts)) {
    test(name, async () => {
      const session = new Session();
      for (const [index, request] of requests.entries()) {
        // A buffer crosses as a buffer.
        const bytes = request.edit?.bytes;
        const sent = bytes ? { ...request, edit: { ...request.edit, bytes: Uint8Array.from(bytes) } } : request;
        const reply = plain(await answer(session, sent));
        assert.deepEqual(reply, plain(expected[name][index]), `the reply to request ${index + 1}`);
        assert.equal(reply.kind === "refused", name === "refusals", JSON.stringify(reply));
      }
    });
  }
});

test("what is rare was asked for once", () => {
  assert.equal(asked, 1);
});
