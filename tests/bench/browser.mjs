/**
 * Measures the engine where people use it: in a worker of the real page, in Chromium. Prints one JSON
 * object with the medians in milliseconds. Arguments: the page's address, the browser's path (or `-`).
 */

import { chromium } from "@playwright/test";

const [address, executablePath] = process.argv.slice(2);
const browser = await chromium.launch({
  ...(executablePath === "-" ? {} : { executablePath }),
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"],
});
const page = await browser.newPage();
await page.goto(address);
await page.waitForSelector('html[data-engine="ready"]', { state: "attached" });

const medians = await page.evaluate(async () => {
  const waiting = new Map();
  let ready;
  const isReady = new Promise((resolve) => (ready = resolve));
  // The first engine belongs to the page; this one is another.
  const engine = globalThis.layerwiseEngine.start((message) => {
    if (message.kind === "ready") {
      ready();
    } else if (message.kind === "response") {
      waiting.get(message.id)(message.response);
    } else {
      throw new Error(`${message.kind}: ${message.error}`);
    }
  });
  await isReady;
  let last = 0;
  const ask = (request) =>
    new Promise((resolve) => {
      last += 1;
      waiting.set(last, resolve);
      engine.send(last, request);
    });
  const edit = (change) => ask({ kind: "edit", edit: change });
  const build = async () => {
    let reply = await ask({ kind: "build" });
    while (reply.kind === "progress") {
      reply = await ask({ kind: "continue" });
    }
    return reply;
  };
  const bytes = (text) => new TextEncoder().encode(text);
  const path = (n) => `src/${n % 10}/${n % 100}/file${n}.js`;
  const files = Array.from({ length: 10_000 }, (_, n) => ({ path: path(n), bytes: bytes(`export const n = ${n};\n`) }));
  await edit({ op: "upload", files });
  let text = "FROM scratch\n";
  for (let step = 1; step < 30; step += 1) {
    text +=
      step % 3 === 0 ? `WORKDIR /w${step}\n` : step % 3 === 1 ? `COPY src/${step % 10} /app/${step}/\n` : `COPY . /all${step}/\n`;
  }
  await edit({ op: "dockerfile", text });
  const first = await build();
  if (first.kind !== "state" || !first.value.build.summary.ok) {
    throw new Error(`the build failed: ${JSON.stringify(first).slice(0, 400)}`);
  }
  const median = (times) => times.sort((a, b) => a - b)[times.length >> 1];
  const measure = async (count, act) => {
    const times = [];
    for (let n = 0; n < count; n += 1) {
      const begun = performance.now();
      await act(n);
      times.push(performance.now() - begun);
    }
    return median(times);
  };
  const write = (n) => edit({ op: "write", path: path(n), bytes: bytes(`export const n = ${n}; // ${Math.random()}\n`) });
  await measure(20, write);
  const predict = await measure(50, (n) => write(n * 7));
  const keystroke = await measure(50, (n) => edit({ op: "dockerfile", text: `${text}# ${"x".repeat(n)}\n` }));
  const rebuild = await measure(5, async (n) => {
    await write(n);
    await build();
  });
  engine.stop();
  return { predict, keystroke, rebuild };
});
console.log(JSON.stringify(medians));
await browser.close();
