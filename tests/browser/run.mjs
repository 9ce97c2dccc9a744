// The main journeys in a real Chromium, against the built service: node run.mjs PATH-TO-PORCHLIGHT
//
// Starts `porchlight demo` in a temporary folder, plays a patient on a demo phone and a coordinator in the console, with and
// without scripts, checks every page with axe in both themes and widths, and fails if anything outside the service is asked for.
// Prints one line for each check and `N passed, N failed` at the end. PORCHLIGHT_SHOTS=DIR keeps screenshots.

import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import { chromium } from "playwright-core";

const WIDTHS = [{ width: 1280, height: 800 }, { width: 390, height: 844 }];
const THEMES = ["light", "dark"];
// From the patient's Send to the crisis reply on the phone and to the row on a queue page that was open already.
const AT_ONCE_MS = 1_000;
const WAIT_MS = 10_000;
const WHOLE_RUN_MS = 8 * 60_000;

const EMERGENCY = "my chest hurts and I can't breathe";
const ARABIC_EMERGENCY = "عندي ألم في صدري ولا أستطيع التنفس";
const ARABIC_REPLY = "وصلتنا رسالتك. سأتصل بك الآن.";

const binary = process.argv[2];
if (!binary) {
  console.error("usage: node run.mjs PATH-TO-PORCHLIGHT");
  process.exit(2);
}
const shots = process.env.PORCHLIGHT_SHOTS;

// -- Checks -----------------------------------------------------------------------------------------------------------

let passed = 0;
let failed = 0;

function insist(holds, otherwise) {
  if (!holds) throw new Error(otherwise);
}

/** Runs one check; a failure is told and counted, and the run goes on. `page` is photographed if it fails. */
async function check(name, page, body) {
  const begun = performance.now();
  try {
    const said = await body();
    passed += 1;
    console.log(`ok      ${name}${said ? `: ${said}` : ""} (${Math.round(performance.now() - begun)} ms)`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${name}\n        ${String(error.message ?? error).replaceAll("\n", "\n        ")}`);
    if (page) await shot(page, `failed-${name.replace(/[^a-z0-9]+/giu, "-").slice(0, 60)}`);
  }
}

async function shot(page, name) {
  if (!shots) return;
  try {
    await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
  } catch (error) {
    console.log(`        (no screenshot ${name}: ${error.message})`);
  }
}

// -- The service ------------------------------------------------------------------------------------------------------

/** Starts the demo and reads the address and the coordinator's way in from what it prints. */
async function startDemo(folder) {
  const args = ["demo", "--listen", "127.0.0.1:0", "--data", join(folder, "data")];
  const child = spawn(resolve(binary), args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  const demo = { child, log: "", base: "", email: "", password: "", ended: null };
  const ended = new Promise((done) => {
    child.on("error", (error) => done(`could not be started: ${error.message}`));
    child.on("exit", (code, signal) => done(`ended with ${signal ?? code}`));
  });
  demo.ended = ended;
  const ready = new Promise((done) => {
    const read = (chunk) => {
      demo.log += chunk.toString().replace(/\u001b\[[0-9;]*m/gu, "");
      demo.base = /http:\/\/127\.0\.0\.1:\d+(?=\/)/u.exec(demo.log)?.[0] ?? "";
      demo.email = /\S+@[\w.-]+\w/u.exec(demo.log)?.[0] ?? "";
      demo.password = /password\W+(\S+)/iu.exec(demo.log)?.[1] ?? "";
      if (demo.base && demo.email && demo.password) done("ready");
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
  });
  const late = new Promise((done) => { setTimeout(() => done("printed no address and sign-in within 30 s"), 30_000).unref(); });
  const outcome = await Promise.race([ready, ended, late]);
  if (outcome !== "ready") throw new Error(`porchlight demo ${outcome}. It printed:\n${demo.log}`);
  return demo;
}

// -- Pages ------------------------------------------------------------------------------------------------------------

const strangers = new Set();
const complaints = [];

/** A fresh browser profile whose requests and complaints are watched. */
async function visitor(browser, base, options = {}) {
  const context = await browser.newContext({ baseURL: base, locale: "en-US", ...options });
  context.setDefaultTimeout(WAIT_MS);
  context.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(`${base}/`) && !/^(data|blob|about):/u.test(url)) strangers.add(url);
  });
  context.on("weberror", (error) => complaints.push(`script error: ${error.error().message}`));
  context.on("console", (message) => {
    if (message.type() === "error") complaints.push(`${message.page()?.url()}: ${message.text()}`);
  });
  return context;
}

async function signIn(page, demo) {
  await page.goto("/signin");
  await page.getByLabel("Work e-mail").fill(demo.email);
  await page.getByLabel("Password").fill(demo.password);
  await page.locator("form[action='/signin'] button[type=submit]").click();
  await page.waitForURL(/\/queue/u);
}

/** The address and the name of a phone that reads `language`, belongs to nobody in `taken`, and has not been stopped. */
async function phoneOf(page, language, taken) {
  await page.goto("/");
  const phones = await page.locator("#phones a").evaluateAll((links) => links.map((link) => ({
    href: link.getAttribute("href"),
    name: link.querySelector("b").textContent.trim(),
    about: link.querySelector(".xs").textContent.trim(),
  })));
  const phone = phones.find((p) => p.about.startsWith(language) && !/stopped|coordinator/u.test(p.about) && !taken.includes(p.name));
  insist(phone, `no free ${language} phone among ${JSON.stringify(phones)}`);
  return phone;
}

const rowNames = (page) => page.locator(".row .row-link").evaluateAll((links) => links.map((link) => link.textContent.trim()));
const rowOf = (page, name) => page.locator(".row", { has: page.locator(".row-link", { hasText: name }) });
const itemIn = (url) => new URL(url).searchParams.get("item");

/** Notes, in the page itself, when `name` first stands in the queue as an emergency. */
const watchQueue = (page, name) => page.evaluate((wanted) => {
  const look = () => {
    const rows = [...document.querySelectorAll(".row")];
    const found = rows.some((row) => row.querySelector(".row-link")?.textContent.trim() === wanted && row.querySelector(".sev-emergency"));
    if (found) window.seenAt ??= Date.now();
  };
  window.sameDocument = true;
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true, characterData: true });
}, name);

/** Notes, in the page itself, when Send was pressed and when the crisis reply stood on the phone. */
const watchPhone = (page) => page.evaluate(() => {
  const incoming = () => [...document.querySelectorAll("#phone-talk .msg:not(.msg-out)")].filter((m) => m.textContent.includes("911")).length;
  const before = incoming();
  document.addEventListener("submit", () => { window.sentAt ??= Date.now(); }, { capture: true });
  new MutationObserver(() => { if (incoming() > before) window.answeredAt ??= Date.now(); })
    .observe(document.body, { childList: true, subtree: true, characterData: true });
});

async function typeOnPhone(page, text) {
  await page.locator("#phone-text").fill(text);
  await page.locator("#phone-form button[type=submit]").click();
}

/** Refuses anything that axe finds, and a page that is wider than its window. */
async function audit(page, name, path) {
  for (const viewport of WIDTHS) {
    for (const colorScheme of THEMES) {
      await check(`${name} at ${viewport.width}, ${colorScheme}: nothing for axe to complain of`, page, async () => {
        await page.setViewportSize(viewport);
        await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        await page.goto(path);
        await page.locator("h1").first().waitFor();
        await shot(page, `${name.replaceAll(" ", "-")}-${viewport.width}-${colorScheme}`);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        insist(wide <= 0, `the page is ${wide} px wider than the window`);
        const { violations, passes } = await new AxeBuilder({ page }).analyze();
        const told = violations.map((v) => `${v.id} (${v.impact}): ${v.help}\n  ${v.nodes.map((n) => n.target.join(" ")).join("\n  ")}`);
        insist(violations.length === 0, told.join("\n"));
        insist(passes.length > 0, "axe looked at nothing");
      });
    }
  }
}

// -- The journeys -----------------------------------------------------------------------------------------------------

async function headers(demo, context) {
  for (const path of ["/", "/signin", "/assets/console.css"]) {
    await check(`security headers on ${path}`, null, async () => {
      const answer = await context.request.get(path);
      insist(answer.ok(), `${path} answered ${answer.status()}`);
      const head = answer.headers();
      const policy = head["content-security-policy"] ?? "";
      const directives = new Map(policy.split(";").map((d) => d.trim().split(/\s+/u)).map(([name, ...values]) => [name, values]));
      insist(directives.get("default-src")?.every((v) => v === "'none'" || v === "'self'"), `content-security-policy: ${policy}`);
      insist(!/unsafe-|\*|https?:/u.test(policy), `content-security-policy allows too much: ${policy}`);
      for (const name of ["form-action", "frame-ancestors", "base-uri"]) insist(directives.has(name), `no ${name} in: ${policy}`);
      insist(head["x-content-type-options"] === "nosniff", `x-content-type-options: ${head["x-content-type-options"]}`);
      insist(/^(no-referrer|same-origin)$/u.test(head["referrer-policy"] ?? ""), `referrer-policy: ${head["referrer-policy"]}`);
    });
  }
}

async function door(demo, browser) {
  const context = await visitor(browser, demo.base);
  const page = await context.newPage();
  await check("the queue is closed to whoever has not signed in", page, async () => {
    await page.goto("/queue");
    insist(new URL(page.url()).pathname === "/signin", `came to ${page.url()}`);
  });
  await check("a wrong password is refused in words", page, async () => {
    const login = await context.request.get("/signin");
    const csrf = /name="csrf" value="([^"]*)"/u.exec(await login.text())?.[1] ?? "";
    const answer = await context.request.post("/signin", {
      form: { csrf, next: "", email: demo.email, password: "not the password" }, headers: { origin: demo.base }, maxRedirects: 0,
    });
    insist(answer.status() >= 400 && answer.status() < 500, `answered ${answer.status()}`);
    insist((await answer.text()).includes('role="alert"'), "says nothing about it");
  });
  await check("a coordinator signs in, and the session can't be read by scripts or other sites", page, async () => {
    await signIn(page, demo);
    const cookies = await context.cookies();
    insist(cookies.some((c) => c.httpOnly && c.sameSite !== "None"), `cookies: ${JSON.stringify(cookies.map(({ value, ...c }) => c))}`);
    const answer = await context.request.get("/queue?view=team");
    insist(/no-store/u.test(answer.headers()["cache-control"] ?? ""), `cache-control: ${answer.headers()["cache-control"]}`);
  });
  return { context, page };
}

/** A patient in danger writes; the reply and the row come at once; the item is claimed and resolved. */
async function emergency(demo, browser, desk) {
  const phoneContext = await visitor(browser, demo.base);
  const phone = await phoneContext.newPage();
  const queue = desk.page;
  await queue.goto("/queue?view=team");
  let who = null;

  await check("an emergency: the crisis reply on the phone and the row on the open queue page, at once", queue, async () => {
    who = await phoneOf(phone, "English", await rowNames(queue));
    await phone.goto(who.href);
    await queue.locator("#live", { hasText: "Live" }).waitFor();
    await phone.locator("#live", { hasText: "Live" }).waitFor();
    await watchQueue(queue, who.name);
    await watchPhone(phone);
    await typeOnPhone(phone, EMERGENCY);
    await phone.waitForFunction(() => window.answeredAt, null, { polling: 50 });
    await queue.waitForFunction(() => window.seenAt, null, { polling: 50 });
    insist(await queue.evaluate(() => window.sameDocument), "the queue page was loaded anew");
    const sent = await phone.evaluate(() => window.sentAt);
    const toPhone = (await phone.evaluate(() => window.answeredAt)) - sent;
    const toQueue = (await queue.evaluate(() => window.seenAt)) - sent;
    await shot(phone, "emergency-phone");
    await shot(queue, "emergency-queue");
    const said = `phone after ${toPhone} ms, queue after ${toQueue} ms`;
    insist(toPhone < AT_ONCE_MS && toQueue < AT_ONCE_MS, `${said}; at most ${AT_ONCE_MS} ms`);
    return said;
  });

  await check("her words are on the phone as she wrote them, and the reply names 911", phone, async () => {
    const talk = phone.locator("#phone-talk");
    await talk.locator(".msg-out", { hasText: EMERGENCY }).last().waitFor();
    const reply = await talk.locator(".msg:not(.msg-out)").last().innerText();
    insist(reply.includes("911"), `the last message on the phone is ${reply}`);
  });

  await check("the title and the alarm tell of it", queue, async () => {
    await queue.waitForFunction(() => /^\([1-9]\d*\) /u.test(document.title));
    insist((await queue.locator("#alert").innerText()).includes(who.name), "the alert region does not name her");
  });

  await check("opened and claimed by keyboard; safe contact comes before any way to reach her", queue, async () => {
    await rowOf(queue, who.name).locator(".row-link").focus();
    await queue.keyboard.press("Enter");
    await queue.waitForURL(/item=/u);
    const order = await queue.evaluate(() => {
      const safe = document.querySelector("#pane .safe");
      const reach = document.querySelector("#pane a[href^='tel:'], #pane a[href*='#re']");
      return Boolean(safe && reach && safe.compareDocumentPosition(reach) & Node.DOCUMENT_POSITION_FOLLOWING);
    });
    insist(order, "the safe-contact card does not come first");
    await queue.keyboard.press("c");
    await queue.locator("#dock", { hasText: "Yours since" }).waitFor();
    await queue.locator(".row", { hasText: who.name }).locator(".row-who", { hasText: "You" }).waitFor();
  });

  await check("not resolved without an outcome, neither by the page nor by the server", queue, async () => {
    const item = itemIn(queue.url());
    await queue.keyboard.press("e");
    const dialog = queue.locator("dialog#resolve");
    await dialog.waitFor();
    await shot(queue, "resolve-dialog");
    await dialog.getByRole("button", { name: "Resolve" }).click();
    insist(await dialog.isVisible(), "the dialog closed");
    insist(await dialog.locator("#out").evaluate((select) => !select.checkValidity()), "an empty outcome counts as chosen");
    const form = await dialog.locator("form").evaluate((f) => Object.fromEntries(new FormData(f)));
    const answer = await desk.context.request.post(`/item/${item}/resolve`, {
      form: { ...form, outcome: "", note: "a note that must survive" }, headers: { origin: demo.base }, maxRedirects: 0,
    });
    const html = await answer.text();
    insist(answer.status() >= 400 && answer.status() < 500, `the server answered ${answer.status()}`);
    insist(html.includes("Not resolved") && html.includes("a note that must survive"), "the answer has lost the note or the reason");
  });

  await check("resolved with an outcome, and gone from the queue", queue, async () => {
    const dialog = queue.locator("dialog#resolve");
    await dialog.locator("#out").selectOption({ label: "Sent to emergency care" });
    await dialog.locator("#nt").fill("An ambulance is on the way.");
    await dialog.getByRole("button", { name: "Resolve" }).click();
    await dialog.waitFor({ state: "hidden" });
    await queue.goto("/queue?view=team");
    insist(await rowOf(queue, who.name).count() === 0, "her row is still in the queue");
  });
  await phoneContext.close();
}

/** The same without a single script, in Arabic: row, claim, patient page, reply. */
async function withoutScripts(demo, browser) {
  const context = await visitor(browser, demo.base, { javaScriptEnabled: false });
  const page = await context.newPage();
  let who = null;
  let patient = null;

  await check("without scripts: a patient writes in Arabic and finds her words on the phone", page, async () => {
    await signIn(page, demo);
    await page.goto("/queue?view=team");
    who = await phoneOf(page, "Arabic", await rowNames(page));
    await page.goto(who.href);
    insist(await page.locator("#phone-text").getAttribute("dir") === "rtl", "the phone's field does not run from right to left");
    await typeOnPhone(page, ARABIC_EMERGENCY);
    await page.locator("#phone-talk .msg-out p[lang=ar][dir=rtl]", { hasText: ARABIC_EMERGENCY }).last().waitFor();
  });

  await check("without scripts: her item is in the queue, and is claimed", page, async () => {
    await page.goto("/queue?view=team");
    for (let tries = 0; tries < 10 && await rowOf(page, who.name).count() === 0; tries += 1) await page.reload();
    const row = rowOf(page, who.name);
    await row.locator(".sev-emergency").waitFor();
    await row.locator(".row-text[lang=ar][dir=rtl]").waitFor();
    await row.locator(".row-link").click();
    await page.locator("#pane .quote[lang=ar][dir=rtl]").waitFor();
    await page.locator("#dock button", { hasText: "Claim" }).click();
    await page.locator("#dock", { hasText: "Yours since" }).waitFor();
  });

  await check("without scripts: Resolve… leads to a page that asks for the outcome", page, async () => {
    const queue = page.url();
    await page.locator("#dock a", { hasText: "Resolve" }).click();
    await page.waitForURL(/\/item\/[^/]+\/resolve/u);
    await page.locator("main form select[name=outcome][required]").waitFor();
    await page.goto(queue);
  });

  await check("without scripts: the coordinator replies in Arabic, and the reply is in the timeline", page, async () => {
    await page.locator("#pane a", { hasText: "Open patient" }).click();
    await page.waitForURL(/\/patient\//u);
    patient = new URL(page.url()).pathname;
    await page.locator("#re[lang=ar][dir=rtl]").fill(ARABIC_REPLY);
    await page.locator("form.composer button[type=submit]").click();
    await page.locator("#talk .msg-out p[lang=ar][dir=rtl]", { hasText: ARABIC_REPLY }).last().waitFor();
    await page.locator("#talk .msg:not(.msg-out) p[lang=ar][dir=rtl]", { hasText: ARABIC_EMERGENCY }).last().waitFor();
  });

  await check("the coordinator's reply reaches her phone", page, async () => {
    await page.goto(who.href);
    const reply = page.locator("#phone-talk .msg:not(.msg-out)", { hasText: ARABIC_REPLY });
    for (let tries = 0; tries < 10 && await reply.count() === 0; tries += 1) await page.reload();
    insist(await reply.count() === 1, `it is there ${await reply.count()} times`);
  });
  await context.close();
  return { who, patient };
}

/** What a page does by itself when its reader comes back to a draft, and when the session is over. */
async function leftAlone(demo, browser, patient) {
  const context = await visitor(browser, demo.base);
  const page = await context.newPage();
  await check("a draft comes back with the token of its form", page, async () => {
    await signIn(page, demo);
    await page.goto(patient);
    await page.locator("#re").fill("Can we call you at 3?");
    const token = () => page.locator("form.composer input[name=token]").inputValue();
    const before = await token();
    await page.goto("/queue?view=team");
    await page.goto(patient);
    insist(await page.locator("#re").inputValue() === "Can we call you at 3?", "the draft is lost");
    insist(await token() === before, "it would be sent a second time");
  });
  await check("an open queue page says for good that its session is over, and leads to signing in", page, async () => {
    await page.goto("/queue?view=team");
    await page.locator("#live", { hasText: "Live" }).waitFor();
    const other = await context.newPage();
    await other.goto("/more");
    await other.locator("form[action='/signout'] button[type=submit]").click();
    await other.waitForURL(/\/signin/u);
    const bar = page.locator("#over[role=alert] .note", { hasText: "Signed out: this page no longer changes. Sign in again." });
    await bar.waitFor();
    insist(await page.locator("#live").isHidden(), "the page still calls itself live");
    const { violations } = await new AxeBuilder({ page }).analyze();
    insist(violations.length === 0, violations.map((v) => `${v.id}: ${v.help}`).join("\n"));
    await shot(page, "signed-out");
    await bar.locator("a").click();
    await page.waitForURL(/\/signin\?next=%2Fqueue%3Fview%3Dteam/u);
  });
  await context.close();
}

// -- The run ----------------------------------------------------------------------------------------------------------

async function run(demo, folder) {
  const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    headless: true,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync"],
    env: { ...process.env, HOME: folder, XDG_CONFIG_HOME: folder, XDG_CACHE_HOME: folder },
  });
  try {
    const anybody = await visitor(browser, demo.base);
    await headers(demo, anybody);
    const visitorPage = await anybody.newPage();
    await audit(visitorPage, "sign-in", "/signin");
    await audit(visitorPage, "demo", "/");
    await anybody.close();

    const desk = await door(demo, browser);
    await emergency(demo, browser, desk);
    const { who, patient } = await withoutScripts(demo, browser);

    await audit(desk.page, "queue", "/queue?view=team");
    await check("an item of the queue can be opened with the mouse", desk.page, async () => {
      await desk.page.setViewportSize(WIDTHS[0]);
      await desk.page.goto("/queue?view=team");
      await rowOf(desk.page, who.name).locator(".row-link").click();
      await desk.page.waitForURL(/item=/u);
    });
    await audit(desk.page, "item", new URL(desk.page.url()).pathname + new URL(desk.page.url()).search + new URL(desk.page.url()).hash);
    await audit(desk.page, "patient", patient ?? "/patient/none");
    await check("a patient page says nothing of her health in its title, and every word of hers has a direction", desk.page, async () => {
      await desk.page.goto(patient);
      insist((await desk.page.title()).replace(/^\(\d+\) /u, "") === `${who.name} · Porchlight`, await desk.page.title());
      const bare = await desk.page.locator("#talk .msg-body > p:not([lang][dir])").count();
      insist(bare === 0, `${bare} texts have no lang and dir`);
    });
    for (const path of ["/panel", "/visits", "/delivery", "/more"]) await audit(desk.page, path.slice(1), path);
    await desk.context.close();
    await leftAlone(demo, browser, patient ?? "/patient/none");
  } finally {
    await browser.close();
  }
  await check("nothing outside the service was asked for", null, async () => {
    insist(strangers.size === 0, [...strangers].join("\n"));
  });
  await check("no page complained in the console", null, async () => {
    insist(complaints.length === 0, [...new Set(complaints)].join("\n"));
  });
  await check("the service ends by itself when it is asked to", null, async () => {
    demo.child.kill("SIGTERM");
    const late = new Promise((done) => { setTimeout(() => done("did not end within 10 s"), 10_000).unref(); });
    const how = await Promise.race([demo.ended, late]);
    insist(how === "ended with 0", `porchlight ${how}`);
  });
}

const folder = await mkdtemp(join(tmpdir(), "porchlight-browser-"));
if (shots) await mkdir(shots, { recursive: true });
let demo = null;
const stop = () => demo?.child.kill("SIGKILL");
for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]]) process.on(signal, () => { stop(); process.exit(code); });
setTimeout(() => {
  console.log(`FAILED  the run took longer than ${WHOLE_RUN_MS / 60_000} minutes\n${passed} passed, ${failed + 1} failed`);
  stop();
  process.exit(1);
}, WHOLE_RUN_MS).unref();
try {
  demo = await startDemo(folder);
  console.log(`porchlight demo at ${demo.base}/`);
  await run(demo, folder);
} catch (error) {
  failed += 1;
  console.log(`FAILED  the run itself\n${error.stack ?? error}`);
} finally {
  stop();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}
if (failed && demo) console.log(`\nThe end of what porchlight printed:\n${demo.log.split("\n").slice(-30).join("\n")}`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
