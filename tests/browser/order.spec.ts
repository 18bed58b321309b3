/** Moving whole instructions: with the mouse, with the keys, with buttons. */

import type { Workbench } from "./workbench";
import { expect, test } from "./workbench";

const isBelow = async (bench: Workbench, lower: string, upper: string) => {
  const text = await bench.text();
  return text.indexOf(lower) > text.indexOf(upper);
};

test("dragging a handle moves an instruction, and both orders stand side by side", async ({ bench }) => {
  await bench.page.getByRole("button", { name: "Edit src/app.js" }).click();
  await expect(bench.verdict).toContainText("src/app.js changed");
  const handles = bench.page.locator(".editor .lw-handle:visible");
  const row = async (start: string) => (await bench.line(start).boundingBox())!;
  const copy = await row("COPY . .");
  const npm = await row("RUN npm ci");
  const all = await Promise.all((await handles.all()).map((handle) => handle.boundingBox()));
  const handle = all.find((box) => box !== null && Math.abs(box.y + box.height / 2 - (copy.y + copy.height / 2)) < copy.height / 2)!;
  await bench.page.mouse.move(handle.x + handle.width / 2, handle.y + handle.height / 2);
  await bench.page.mouse.down();
  await bench.page.mouse.move(handle.x + 8, npm.y + npm.height * 0.9, { steps: 6 });
  await bench.page.mouse.up();
  await expect.poll(() => isBelow(bench, "COPY . .", "RUN npm ci")).toBe(true);
  await expect(bench.verdict.getByRole("button", { name: "Undo" })).toBeVisible();
});

test("Alt and an arrow move the instruction at the cursor, again and again", async ({ bench }) => {
  const before = await bench.text();
  const order = async () => (await bench.text()).split("\n").filter((line) => /^[A-Z]/.test(line));
  const at = async () => (await order()).findIndex((line) => line.startsWith("COPY . ."));
  const first = await at();
  await bench.line("COPY . .").click();
  for (const [key, place] of [["Down", 1], ["Down", 2], ["Up", 1], ["Up", 0]] as const) {
    await bench.page.keyboard.press(`Alt+Arrow${key}`);
    await expect.poll(at).toBe(first + place);
  }
  expect(await bench.text()).toBe(before);
});

test("buttons move the chosen instruction, and are off where it cannot go", async ({ bench }) => {
  await bench.line("COPY . .").click();
  const down = bench.page.getByRole("button", { name: "Move COPY . . down" });
  await expect(down).not.toHaveAttribute("aria-disabled", "true");
  await down.click();
  await expect.poll(() => isBelow(bench, "COPY . .", "RUN npm ci")).toBe(true);
  await bench.line("FROM").click();
  await expect(bench.page.getByRole("button", { name: /^Move FROM .* up$/ })).toHaveAttribute("aria-disabled", "true");
});

test("the matrix compares this order with the one before", async ({ bench }) => {
  await bench.line("COPY . .").click();
  await bench.page.keyboard.press("Alt+ArrowDown");
  await bench.show("Compare");
  const matrix = bench.page.locator("table.matrix");
  await expect(matrix).toContainText("order before");
  await expect(matrix.locator("tbody tr").first().locator("td")).toHaveCount(3);
});
