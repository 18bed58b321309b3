/** Bad input: a clear message with place and remedy, the page alive, nothing lost. */

import { expect, test } from "./workbench";

test("a malformed Dockerfile is marked where it is wrong, and can be mended", async ({ bench }) => {
  await bench.paste("FROM busybox\nRUNN echo hi\n");
  await expect(bench.verdict).toContainText("It does not build");
  await bench.verdict.getByRole("button", { name: "Show the problem" }).click();
  const problem = bench.page.locator(".problem").first();
  await expect(problem).toContainText("RUNN");
  await problem.getByRole("button", { name: "line 2" }).click();
  await expect(bench.dockerfile).toBeFocused();
  await bench.paste("FROM busybox\nRUN echo hi\n");
  await expect(bench.verdict).not.toContainText("It does not build");
});

test("an unknown image says so", async ({ bench }) => {
  await bench.paste("FROM nothing:never\nRUN true\n");
  await expect(bench.verdict).toContainText("It does not build");
  await bench.show("Problems");
  await expect(bench.page.locator(".problem").first()).toContainText("nothing:never: not found");
});

test("an image that the catalog does not list has a stand-in, which is said", async ({ bench }) => {
  await bench.paste("FROM nobody/nothing:never\nRUN true\n");
  await bench.show("Problems");
  await expect(bench.page.locator(".problem").first()).toContainText("nobody/nothing:never is not in the catalog");
});

test("a file that is missing in the context says which", async ({ bench }) => {
  await bench.paste("FROM busybox\nCOPY nowhere.txt /\n");
  await bench.build();
  await bench.show("Problems");
  await expect(bench.page.locator(".problem").first()).toContainText("nowhere.txt");
});

test("an endless loop ends, and the page answers meanwhile", async ({ bench }) => {
  await bench.paste("FROM busybox\nRUN while true; do :; done\n");
  await expect(bench.verdict).toContainText("First miss");
  await bench.page.locator("header").getByRole("button", { name: /^Build/ }).click();
  await bench.page.getByRole("button", { name: /theme$/ }).click();
  await bench.idle();
  await bench.show("Problems");
  await expect(bench.page.locator(".problem").first()).toBeVisible();
  await bench.paste("FROM busybox\nRUN true\n");
  await bench.build();
  await bench.show("Steps");
  await expect(bench.steps).toHaveCount(2);
});

test("a paste of 100 MB is refused in words, and what was there stays", async ({ bench }) => {
  test.slow();
  const before = await bench.text();
  await bench.dockerfile.click();
  await bench.page.evaluate(() => {
    const data = new DataTransfer();
    data.setData("text/plain", "RUN echo 0123456789\n".repeat(5_000_000));
    document.activeElement!.dispatchEvent(
      new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }),
    );
  });
  await expect(bench.notice).toContainText("100");
  await expect(bench.notice).toContainText("Nothing was changed");
  expect(await bench.text()).toBe(before);
});

test("text of the user's never becomes markup", async ({ bench }) => {
  const { page } = bench;
  const evil = `<img src=x onerror="document.title='owned'">`;
  await bench.paste(`FROM busybox\nRUN echo '${evil}' > /evil\nLABEL a='${evil}'\n`);
  await bench.build();
  for (const pane of ["Steps", "Log", "Problems", "History"] as const) {
    await bench.show(pane);
  }
  expect(await page.locator("img[onerror], img[src=x]").count()).toBe(0);
  expect(await page.title()).toMatch(/Layerwise/);
});
