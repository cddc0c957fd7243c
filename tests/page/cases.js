// The status page in a headless Chromium, before a real server: what is shown, what changes live, rotation with its
// confirmation, the keyboard, both languages and both schemes; and nothing secret anywhere in the browser.
"use strict";
const assert = require("node:assert/strict");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { chromium } = require("playwright-core");
const programs = require("./programs.js");

const [wxtoken, browserPath, into] = process.argv.slice(2);
const ADMIN = "wxtk_of-who-looks-after-it", READER = "wxtk_of-a-program", POOR = "wxtk_of-somebody-else";
// So young a token is not replaced yet; in seconds.
const YOUNG = 34;
const ACCOUNTS = [
  { name: "billing", kind: "official", tickets: ["jsapi", "wx_card"] },
  { name: "customer-service", kind: "official" },
  { name: "denied", kind: "official" },
  { name: "loyalty", kind: "mini-program" },
  { name: "office", kind: "work", tickets: ["jsapi"] },
  { name: "shop", kind: "official" },
];
const OWN = ["billing", "loyalty", "shop"];

const steps = [];
async function step(what, run) {
  const began = Date.now();
  await run();
  steps.push(what);
  console.log(`  ${what} (${((Date.now() - began) / 1000).toFixed(1)} s)`);
}

/** A page that keeps book of all it says and asks for. */
async function open(browser, url, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1240, height: 780 }, locale: "en-GB", ...options });
  const page = await context.newPage();
  const book = { errors: [], traffic: [] };
  page.on("console", (message) => { if (["error", "warning"].includes(message.type())) book.errors.push(message.text()); });
  page.on("pageerror", (error) => book.errors.push(String(error)));
  page.on("request", (request) => {
    const { authorization, ...headers } = request.headers();
    book.traffic.push(request.url(), JSON.stringify(headers), request.postData() || "");
    if (authorization) book.authorized = true;
  });
  page.on("response", (response) => {
    book.traffic.push(JSON.stringify(response.headers()));
    // A stream has no end to wait for; what it told is in the page.
    if (!response.url().endsWith("/events")) response.text().then((text) => book.traffic.push(text)).catch(() => {});
  });
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`));
  });
  await page.goto(url);
  return { page, context, book };
}

async function enter(page, key) {
  await page.locator("#key").fill(key);
  await page.keyboard.press("Enter");
  await page.locator("#live[data-on=yes]").waitFor();
}

const account = (page, name) => page.locator("tbody", { has: page.locator("th", { hasText: name }) });
const rows = (page) => page.locator("tbody");

/** Whatever the browser holds and has sent or heard, but the header that carries the key. */
async function everything({ page, book }) {
  const held = await page.evaluate(() => [
    document.documentElement.outerHTML, location.href, document.title, JSON.stringify({ ...localStorage }), JSON.stringify({ ...sessionStorage }),
    document.cookie, ...[...document.querySelectorAll("input")].map((input) => input.value), JSON.stringify(history.state),
  ]);
  return [...held, ...book.traffic].join("\n");
}

async function main() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "wxtoken-page-"));
  let browser;
  try {
    const platform = await programs.platform(wxtoken, ACCOUNTS.map(({ name, kind }) => ({ name: kind === "work" ? `${name}/1000002` : name, kind })));
    await platform.order("/accounts/denied/deny", { ip: "127.0.0.1" });
    const began = Date.now();
    const server = await programs.server(wxtoken, folder, platform, ACCOUNTS, [
      { name: "admin", key: ADMIN, accounts: [], may: ["admin"] },
      { name: "program", key: READER, accounts: ACCOUNTS.map(({ name }) => name), may: ["read", "rotate"] },
      { name: "poor", key: POOR, accounts: OWN, may: ["read"] },
    ]);
    const { url } = server;
    const api = async (path, method = "GET") =>
      (await fetch(url + path, { method, headers: { Authorization: `Bearer ${READER}` } })).json();
    const secrets = [ADMIN, READER, POOR, programs.SECRET];
    const learn = async () => {
      for (const { name } of ACCOUNTS.filter(({ name }) => name !== "denied")) secrets.push((await api(`/v1/accounts/${name}/token`)).access_token);
      for (const kind of ["jsapi", "wx_card"]) secrets.push((await api(`/v1/accounts/billing/tickets/${kind}`)).ticket);
      assert(secrets.every((secret) => typeof secret === "string" && secret.length > 10), "tokens are known");
    };
    await learn();
    for (let n = 0; n < 90; n += 1) await api("/v1/accounts/shop/token");

    browser = await chromium.launch({
      executablePath: browserPath, headless: true,
      args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
    });
    const seen = await open(browser, url);
    const { page } = seen;

    await step("a wrong key is refused, and nothing is shown", async () => {
      await page.locator("#key").fill("wxtk_of-nobody");
      await page.keyboard.press("Enter");
      await page.getByText("does not know this key").waitFor();
      assert.equal(await page.locator("#board").isVisible(), false);
      assert.equal(await page.locator("#key").inputValue(), "");
      assert.equal(seen.book.errors.splice(0).filter((text) => !text.includes("401")).length, 0);
    });

    await step("all accounts are shown to who looks after the server", async () => {
      await enter(page, ADMIN);
      assert.deepEqual(await rows(page).locator("th > span:first-child").allTextContents(), ["denied", "billing", "customer-service", "loyalty", "office", "shop"]);
      const shop = await account(page, "shop").innerText();
      for (const text of ["OK", "Official account", "1:59:", "1 / "]) assert(shop.includes(text), `${text} in ${shop}`);
      const reads = Number(await account(page, "shop").locator("[data-label='Reads/min']").innerText());
      assert(reads >= 90 && reads < 100, `${reads}`);
      assert.equal(await account(page, "billing").locator("tr.credential").count(), 3);
      assert.match(await account(page, "shop").getByRole("meter").getAttribute("aria-valuemax"), /^719\d$/);
    });

    await step("a refusal is shown with its remedy, in both languages", async () => {
      const denied = account(page, "denied");
      const remedy = await denied.locator(".remedy").innerText();
      assert(/administrator of the account must act/i.test(remedy) && /127\.0\.0\.1/.test(remedy) && /40164/.test(remedy), remedy);
      assert.match(await denied.innerText(), /Down/);
      await page.locator("#lang").click();
      const zh = await denied.locator(".remedy").innerText();
      assert(/管理员/.test(zh) && /白名单/.test(zh) && /127\.0\.0\.1/.test(zh), zh);
      assert.equal(await page.locator("html").getAttribute("lang"), "zh-CN");
      assert.doesNotMatch(await page.locator("thead").innerText(), /[a-z]{4}/);
      await page.locator("#lang").click();
      assert.match(await denied.locator(".remedy").innerText(), /must act/);
    });

    await step("accounts are filtered by text and by state", async () => {
      await page.locator("#find").fill("SHO");
      assert.equal(await rows(page).count(), 1);
      await page.locator("#find").fill("nobody");
      await page.getByText("No account fits.").waitFor();
      await page.locator("#find").fill("");
      await page.getByRole("button", { name: /Down/ }).click();
      assert.deepEqual(await rows(page).locator("th > span:first-child").allTextContents(), ["denied"]);
      await page.getByRole("button", { name: /^All/ }).click();
      assert.equal(await rows(page).count(), ACCOUNTS.length);
    });

    await step("a token so young is not replaced, and the page says so", async () => {
      await account(page, "billing").getByRole("button").first().click();
      await page.locator("dialog[open]").getByRole("button", { name: "Rotate" }).click();
      await page.getByText(/Not now: it may be fetched again in/).waitFor();
      await page.keyboard.press("Escape");
      assert.equal(await page.locator("dialog[open]").count(), 0);
    });

    await step("who has two accounts sees two, and is offered no rotation", async () => {
      const poor = await open(browser, url);
      await enter(poor.page, POOR);
      assert.deepEqual(await rows(poor.page).locator("th > span:first-child").allTextContents(), OWN);
      assert.equal(await rows(poor.page).getByRole("button").count(), 0);
      assert.deepEqual(poor.book.errors, []);
      await poor.context.close();
    });

    await step("whatever is said is text, and a failing store is said first", async () => {
      const shot = await open(browser, url, { locale: "zh-CN" });
      const markup = "<img src=x onerror=document.title='ran'><script>document.title='ran'</script>";
      await shot.page.route("**/v1/status?*", async (route) => {
        const reply = await route.fetch(), body = await reply.json();
        body.server = { ...body.server, store: "full", store_trouble: markup };
        const denied = body.accounts.find(({ name }) => name === "denied");
        denied.id = markup;
        denied.credentials[0].refusal = { ...denied.credentials[0].refusal, en: markup, zh: markup };
        await route.fulfill({ response: reply, json: body });
      });
      await enter(shot.page, ADMIN);
      assert.match(await shot.page.getByRole("alert").innerText(), /存储发生故障.*磁盘已满/);
      await shot.page.locator("#lang").click();
      assert((await shot.page.getByRole("alert").innerText()).includes(markup));
      const denied = await account(shot.page, "denied").innerText();
      assert.equal(denied.split(markup).length, 3, denied);
      assert.equal(await shot.page.locator("main img, main script").count(), 0);
      assert.doesNotMatch(await shot.page.title(), /ran/);
      assert.deepEqual(shot.book.errors, []);
      await shot.page.screenshot({ path: path.join(into, "store-fails.png") });
      await shot.context.close();
    });

    await step("screenshots: light and dark, English and Chinese, wide and narrow", async () => {
      for (const [locale, name] of [["en-GB", "en"], ["zh-CN", "zh"]]) {
        for (const colorScheme of ["light", "dark"]) {
          const shot = await open(browser, url, { locale, colorScheme, deviceScaleFactor: 2 });
          await shot.page.screenshot({ path: path.join(into, `enter-${colorScheme}-${name}.png`) });
          await enter(shot.page, ADMIN);
          assert.equal(await shot.page.locator("html").getAttribute("lang"), locale === "zh-CN" ? "zh-CN" : "en");
          await shot.page.screenshot({ path: path.join(into, `page-${colorScheme}-${name}.png`), fullPage: true });
          const [width, wide] = await shot.page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
          assert(width <= wide, "nothing sticks out");
          if (colorScheme === "light") {
            await account(shot.page, "shop").getByRole("button").click();
            await shot.page.screenshot({ path: path.join(into, `rotate-${colorScheme}-${name}.png`) });
            await shot.page.keyboard.press("Escape");
          }
          await shot.page.setViewportSize({ width: 390, height: 844 });
          await shot.page.screenshot({ path: path.join(into, `narrow-${colorScheme}-${name}.png`) });
          assert.equal(await shot.page.evaluate(() => document.documentElement.scrollWidth), 390, "nothing sticks out of a telephone");
          assert.deepEqual(shot.book.errors, []);
          await shot.context.close();
        }
      }
    });

    await step("a rotation elsewhere is seen live", async () => {
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, began + YOUNG * 1000 - Date.now())));
      const generation = account(page, "shop").locator("[data-label=Generation]");
      assert.equal(await generation.innerText(), "1");
      assert.equal((await api("/v1/accounts/shop/token/rotate", "POST")).outcome, "refreshing");
      await account(page, "shop").locator("[data-label=Generation]", { hasText: /^2$/ }).waitFor({ timeout: 8000 });
    });

    await step("a rotation is asked for, confirmed and told of", async () => {
      await account(page, "loyalty").getByRole("button").click();
      const dialog = page.locator("dialog[open]");
      assert.match(await dialog.innerText(), /Fetch a new token · loyalty\?/);
      await dialog.getByRole("button", { name: "Cancel" }).click();
      assert.equal((await api("/v1/accounts/loyalty/token")).generation, 1);
      await account(page, "loyalty").getByRole("button").click();
      await dialog.getByRole("button", { name: "Rotate" }).click();
      await dialog.getByText("Done: generation 2 is held now.").waitFor();
      await dialog.getByRole("button", { name: "Close" }).click();
      assert.equal((await api("/v1/accounts/loyalty/token")).generation, 2);
    });

    await step("all of it with the keyboard alone", async () => {
      const keys = await open(browser, url);
      const press = (key) => keys.page.keyboard.press(key);
      await keys.page.keyboard.type(ADMIN);
      await press("Enter");
      await keys.page.locator("#live[data-on=yes]").waitFor();
      await press("/");
      await keys.page.keyboard.type("customer");
      assert.equal(await rows(keys.page).count(), 1);
      await press("Tab");
      assert.match(await keys.page.evaluate(() => document.activeElement.getAttribute("aria-label")), /Rotate: customer-service token/);
      await press("Enter");
      assert.equal(await keys.page.evaluate(() => document.activeElement.id), "askNo", "the harmless choice is the first");
      await press("Tab");
      await press("Enter");
      await keys.page.getByText("Done: generation 2 is held now.").waitFor();
      await press("Escape");
      assert.match(await keys.page.evaluate(() => document.activeElement.getAttribute("aria-label")), /Rotate: customer-service token/);
      assert.deepEqual(keys.book.errors, []);
      await learn();
      assertNone(await everything(keys), secrets);
      await keys.context.close();
    });

    await step("no token, no secret and no key is anywhere in the browser", async () => {
      const all = await everything(seen);
      assert(seen.book.authorized && all.includes("customer-service") && all.includes("/v1/status/events"), "something was looked at");
      assertNone(all, secrets);
      await page.locator("#leave").click();
      assert.equal(await page.locator("#board").isVisible(), false);
      assert.equal((await page.content()).includes("customer-service"), false, "what was shown is gone with the key");
      assert.deepEqual(seen.book.errors, [], "no error and no breach of the policy");
    });

    await step("a server that goes away and comes back is followed", async () => {
      const shot = await open(browser, url);
      await enter(shot.page, ADMIN);
      await server.stop();
      await shot.page.getByText("Connection lost, trying again").waitFor();
      assert.match(await account(shot.page, "shop").innerText(), /1:5\d:/, "what was known goes on being shown");
      await server.again();
      await shot.page.locator("#live[data-on=yes]").waitFor({ timeout: 35000 });
      assert.match(await shot.page.locator("footer").innerText(), /up 0:0/);
      await shot.context.close();
    });
    console.log(`all ${steps.length} as they should be; screenshots in ${into}`);
  } catch (error) {
    console.error(fs.existsSync(path.join(folder, "log")) ? fs.readFileSync(path.join(folder, "log"), "utf8").slice(-4000) : "");
    throw error;
  } finally {
    if (browser) await browser.close();
    await programs.end();
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function assertNone(text, secrets) {
  for (const secret of secrets) assert.equal(text.includes(secret), false, `${secret.slice(0, 6)}… is in the browser`);
}

main().catch((error) => { console.error(error); process.exitCode = 1; });
