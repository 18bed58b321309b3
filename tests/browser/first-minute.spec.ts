/** The first minute: a finished build, one edit, one change of the order. */

import { expect, test } from "./workbench";

test("the page opens on a finished build in the well-known bad order", async ({ bench }) => {
  const text = await bench.text();
  expect(text.indexOf("COPY . .")).toBeLessThan(text.indexOf("RUN npm ci"));
  await expect(bench.steps.first()).toContainText("FROM");
  await expect(bench.verdict).toContainText(/(\d+) of \1 steps cached/);
  await expect(bench.layers.first()).toBeVisible();
  expect(new Set(await bench.marks())).toEqual(new Set(["hit", "config"]));
});

test("the inviting button turns the gutter, and the verdict says what it costs and why", async ({ bench }) => {
  await bench.page.getByRole("button", { name: "Edit src/app.js" }).click();
  await expect(bench.verdict).toContainText("because src/app.js changed");
  await expect(bench.verdict).toContainText("COPY . .");
  await expect(bench.verdict.locator(".now")).toHaveText(/^[1-9][0-9.]* s$/);
  // All above the COPY that sees it stays, all below runs again.
  const marks = (await bench.marks()).filter((mark) => mark !== "config");
  const words = (await bench.text()).split("\n").filter((line) => /^(FROM|WORKDIR|COPY|RUN)/.test(line));
  const copy = words.findIndex((line) => line.startsWith("COPY . ."));
  expect(copy).toBeGreaterThanOrEqual(2);
  expect(marks).toEqual(words.map((_, index) => (index < copy ? "hit" : "miss")));
  await expect(bench.line("COPY . .").locator(".lw-note")).toContainText("src/app.js changed");
  await expect(bench.files.locator('[data-path="src/app.js"]')).toContainText("edited");
  await expect(bench.page.getByRole("status").filter({ hasText: "Next build" })).toContainText("src/app.js changed");
});

test("what the verdict foretells is what the build does", async ({ bench }) => {
  await bench.page.getByRole("button", { name: "Edit src/app.js" }).click();
  const seconds = bench.verdict.locator(".now");
  await expect(seconds).toHaveText(/^[1-9][0-9.]* s$/);
  const foretold = await seconds.textContent();
  // A base image that is there already is neither: its step takes nothing from the build cache.
  const marks = (await bench.marks()).filter((mark) => mark !== "config").slice(1);
  await bench.build();
  await expect(bench.page.locator("table.steps tfoot")).toContainText(foretold!);
  const words = await bench.steps.locator("td:first-child").allTextContents();
  expect(words.slice(1)).toEqual(marks.map((mark) => (mark === "hit" ? "cached" : "ran")));
  await expect(bench.verdict).toContainText(/(\d+) of \1 steps cached/);
});

test("a suggested order is applied, and both orders stand side by side", async ({ bench }) => {
  await bench.page.getByRole("button", { name: "Edit src/app.js" }).click();
  await bench.verdict.getByRole("button", { name: "Suggest an order" }).click();
  await bench.idle();
  await expect(bench.page.locator(".suggestion").first()).toContainText("same final files and configuration, verified");
  await bench.verdict.getByRole("button", { name: "Apply it" }).click();
  const sides = bench.verdict.locator(".side .now");
  await expect(sides).toHaveCount(2);
  const [before, after] = (await sides.allTextContents()).map(parseFloat);
  expect(after!).toBeLessThan(before! / 5);
  await expect(bench.verdict).toContainText("same final image, verified");
  const text = await bench.text();
  expect(text.indexOf("COPY . .")).toBeGreaterThan(text.indexOf("RUN npm ci"));
});

test("a long job can be cancelled, and nothing of it stays", async ({ bench }) => {
  await bench.page.getByRole("button", { name: "Edit src/app.js" }).click();
  await expect(bench.verdict).toContainText("src/app.js changed");
  await bench.verdict.getByRole("button", { name: "Suggest an order" }).click();
  const cancel = bench.page.getByRole("button", { name: "Cancel" });
  // It may be over before it can be cancelled.
  await cancel.click({ timeout: 2_000 }).catch(() => undefined);
  await bench.idle();
  await expect(bench.verdict).toContainText("src/app.js changed");
});
