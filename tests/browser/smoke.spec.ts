import { expect, expectAccessible, expectNoSidewaysScroll, everyLook, screenshots, test } from "./page";

test("the page opens, and its engine answers in a worker", async ({ opened: page }) => {
  await expect(page).toHaveTitle(/Layerwise/);
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  expect(page.workers()).toHaveLength(1);
});

test("everything is loaded from beside the page", async ({ page, baseURL, errors }) => {
  const urls: string[] = [];
  page.on("request", (request) => urls.push(request.url()));
  await page.goto("");
  await expect(page.locator("html")).toHaveAttribute("data-engine", "ready");
  expect(urls.filter((url) => !url.startsWith(baseURL!) && !url.startsWith("data:"))).toEqual([]);
  expect(urls.some((url) => /\/assets\/engine-[0-9a-f]+\.wasm$/.test(url))).toBe(true);
  expect(errors).toEqual([]);
});

test("what the engine does not run when the page opens comes with the first touch of it", async ({ page, errors }) => {
  const later: string[] = [];
  page.on("request", (request) => later.push(...(/\/(rest)-[0-9a-f]+\.wasm$/.exec(request.url()) ?? []).slice(1)));
  await page.goto("");
  await expect(page.getByRole("group", { name: "The next build" })).toContainText("steps cached");
  await page.waitForLoadState("networkidle");
  expect(later).toEqual([]);
  await page.mouse.move(100, 100);
  await page.mouse.move(120, 100);
  await expect.poll(() => later).toEqual(["rest"]);
  expect(errors).toEqual([]);
});

test("the policy forbids inline scripts and foreign hosts", async ({ opened: page, errors }) => {
  const ran = await page.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "document.documentElement.dataset.injected = 'yes'";
    document.head.append(script);
    return document.documentElement.dataset["injected"];
  });
  expect(ran).toBeUndefined();
  await expect(page.evaluate(() => fetch("https://example.invalid/"))).rejects.toThrow();
  expect(errors.splice(0).filter((error) => !/Content Security Policy|not loaded/.test(error))).toEqual([]);
});

test("a crashed engine says so and leaves the page alive", async ({ page, errors }) => {
  await page.route("**/assets/engine-*.wasm", (route) => route.abort());
  await page.goto("");
  await expect(page.locator("html")).toHaveAttribute("data-engine", "crashed");
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  errors.splice(0);
});

test("nothing is out of place at any width, in either theme", async ({ opened: page }) => {
  await everyLook(page, async () => {
    await expectNoSidewaysScroll(page);
    await expectAccessible(page);
  });
  await screenshots(page, "first-view");
});
