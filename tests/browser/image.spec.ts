/** Layers, digests and files of the image: what is shown is what is exported. */

import { digest, expect, test } from "./workbench";

test("every digest that is shown is the digest of bytes that are exported", async ({ bench }) => {
  const archive = await bench.exported();
  const index = JSON.parse(archive.get("index.json")!.toString());
  const manifestDigest: string = index.manifests[0].digest;
  const blob = (name: string) => archive.get(`blobs/${name.replace(":", "/")}`)!;
  const manifest = JSON.parse(blob(manifestDigest).toString());
  for (const [path, bytes] of archive) {
    if (path.startsWith("blobs/")) {
      expect(`blobs/${digest(bytes).replace(":", "/")}`).toBe(path);
    }
  }
  const shown = bench.page.locator(".image .head [data-digest]").first();
  await expect(shown).toHaveAttribute("data-digest", manifestDigest);
  await expect(shown).toHaveText(manifestDigest.slice("sha256:".length, "sha256:".length + 12));

  const config = JSON.parse(blob(manifest.config.digest).toString());
  const base = bench.page.locator(".band.is-base .band-main[aria-expanded]");
  if (await base.isVisible()) {
    await base.click();
  }
  await expect(bench.layers).toHaveCount(config.rootfs.diff_ids.length);
  const digests = await bench.layers.locator("[data-digest]").evaluateAll((all) =>
    all.map((each) => (each as HTMLElement).dataset["digest"]),
  );
  expect(digests.reverse()).toEqual(config.rootfs.diff_ids);
});

test("a click copies a whole digest", async ({ bench, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const shown = bench.page.locator(".image .head [data-digest]").first();
  await shown.click();
  await expect(shown).toHaveText("copied");
  expect(await bench.page.evaluate(() => navigator.clipboard.readText())).toBe(await shown.getAttribute("data-digest"));
});

test("step, lines and layer are chosen together", async ({ bench }) => {
  const copy = bench.steps.filter({ hasText: "COPY . ." });
  await copy.click();
  await expect(bench.page.locator(".lw-selected")).toContainText("COPY . .");
  const band = bench.layers.filter({ hasText: "COPY . ." });
  await expect(band.getByRole("button").first()).toHaveAttribute("aria-pressed", "true");
  await bench.line("RUN npm ci").click();
  await expect(bench.steps.filter({ hasText: "RUN npm ci" })).toHaveClass(/is-picked/);
});

test("a layer lists what it changes, and the merged tree says where a file comes from", async ({ bench }) => {
  await bench.layers.filter({ hasText: "COPY . ." }).getByRole("button").first().click();
  const tree = bench.page.getByRole("tree", { name: /^Files of layer/ });
  const file = tree.locator('[data-path="app/src/app.js"]');
  await expect(file.getByRole("img", { name: "added" })).toBeVisible();
  await bench.page.getByRole("button", { name: "merged" }).click();
  const merged = bench.page.getByRole("tree", { name: /^All files after layer/ });
  await merged.locator('[data-path="app"]').click();
  await merged.locator('[data-path="app/package.json"]').click();
  await expect(bench.page.locator(".peek-text")).toContainText("{");
  await expect(bench.page.locator(".versions")).toContainText("added in layer");
});

test("a file that a later layer deletes can still be opened", async ({ bench }) => {
  await bench.paste("FROM busybox\nRUN echo secret > /key\nRUN rm /key\n");
  await expect(bench.verdict).toContainText("First miss");
  await bench.build();
  await bench.layers.filter({ hasText: "rm /key" }).getByRole("button").first().click();
  const row = bench.page.getByRole("tree", { name: /^Files of layer/ }).locator('[data-path="key"]');
  await expect(row.getByRole("img", { name: "deleted" })).toBeVisible();
  await row.click();
  await expect(bench.page.locator(".peek")).toContainText("Deleted, but still in the image");
  await expect(bench.page.locator(".peek-text")).toContainText("secret");
});
