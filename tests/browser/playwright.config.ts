import { defineConfig } from "@playwright/test";

/** Where the built page is served. Under a path, since that is where static hosts often put it. */
const given = process.env["LAYERWISE_URL"];
const baseURL = given ?? "http://127.0.0.1:4173/some/where/";

const executablePath = process.env["LAYERWISE_CHROMIUM"];
const isRoot = process.getuid?.() === 0;

export default defineConfig({
  testDir: ".",
  outputDir: "../../test-results",
  fullyParallel: true,
  workers: 2,
  timeout: 90_000,
  expect: { timeout: 20_000 },
  forbidOnly: given !== undefined,
  reporter: [["list"]],
  use: {
    baseURL,
    trace: "retain-on-failure",
    launchOptions: {
      ...(executablePath ? { executablePath } : {}),
      args: [
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-dev-shm-usage",
        ...(isRoot ? ["--no-sandbox"] : []),
      ],
    },
  },
  ...(given === undefined
    ? {
        webServer: {
          command: "cargo xtask serve --prebuilt --port 4173 --base some/where",
          cwd: "../..",
          url: baseURL,
          reuseExistingServer: true,
        },
      }
    : {}),
});
