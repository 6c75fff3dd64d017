// Drives the console in a real browser: node browser.mjs, told on standard input what there is to see (see
// console_test.py). Says "speak" when the model is to begin its answer, "kill" when the server is to die, "noticed"
// when it may live again, and goes on when a line comes back.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const read = async () => JSON.parse((await lines.next()).value);
const world = await read();
const profile = mkdtempSync(join(tmpdir(), "perdure-console-"));
const context = await chromium.launchPersistentContext(profile, {
  executablePath: world.browser,
  viewport: { width: 1200, height: 820 },
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP perdure.lan 127.0.0.1"],
});
const page = context.pages()[0] ?? await context.newPage();
page.setDefaultTimeout(20_000);
const faults = [];
let down = false;  // while the server is, failed requests are no fault
page.on("pageerror", (error) => faults.push(`error in the page: ${error.message}`));
page.on("dialog", (dialog) => dialog.accept());
page.on("console", (message) => {
  if (message.type() === "error" && !down && !/401|Failed to load resource/.test(message.text())) faults.push(message.text());
});
page.on("request", (request) => {
  if (![world.url, byName].some((url) => request.url().startsWith(url)) && !request.url().startsWith("data:")) faults.push(`asks ${request.url()}`);
});

const byName = world.url.replace("127.0.0.1", "perdure.lan");
const seen = (text) => page.getByText(text, { exact: false }).first().waitFor();
const picture = async (name) => { if (world.pictures) await page.screenshot({ path: join(world.pictures, name) }); };

const steps = {
  async "over plain http, too, which browsers trust less"() {
    await page.goto(byName);
    assert.equal(await page.evaluate(() => isSecureContext), false);
    await page.getByLabel("token").fill(world.token);
    await page.getByRole("button", { name: "Sign in" }).click();
    await seen("tasks shown");
  },
  async "a stranger is asked for a token, and a wrong one is refused"() {
    await page.goto(world.url);
    await page.getByLabel("token").fill("wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await seen("does not know this token");
    await page.getByLabel("token").fill(world.token);
    await page.getByRole("button", { name: "Sign in" }).click();
    await seen("tasks shown");
  },
  async "the tasks are listed with what they wait for and cost"() {
    await page.locator("tr", { hasText: "completed" }).first().waitFor();
    await page.locator("tr", { hasText: "a person: tool approval" }).first().waitFor();
    await page.locator("tr", { hasText: "a person: uncertain outcome" }).first().waitFor();
    await page.locator("tr", { hasText: /rate limit, in [23] h/ }).first().waitFor();
    await page.getByRole("link", { name: "completed" }).click();
    await page.locator("tr", { hasText: "input required" }).first().waitFor({ state: "detached" });
    await picture("console-tasks.png");
  },
  async "what a model wrote is text, never markup"() {
    await page.goto(`${world.url}/#/task/${world.completed}`);
    await seen("<img src=x onerror=");
    await page.locator(".timeline summary", { hasText: "look" }).first().click();
    await seen("<b>bold</b>");
    assert.equal(await page.locator("main img, main script, main b:text-is('bold')").count(), 0);
    assert.equal(await page.evaluate(() => globalThis.owned), undefined);
    await picture("console-task.png");
  },
  async "a task that waits says for what, and how long"() {
    await page.goto(`${world.url}/#/task/${world.limited}`);
    await page.locator(".waits", { hasText: /rate limit, in [23] h/ }).waitFor();
  },
  async "who decides sees what is there, and nothing that it does"() {
    const isText = async () => {
      const text = await page.locator("main").innerText();
      assert.ok(text.includes("<img src=x onerror="), text);
      assert.ok(text.includes("\\u202e"), text);
      assert.ok(!text.includes("\u202e"), "it is not turned around");
      assert.equal(await page.locator("main img, main script").count(), 0);
      assert.equal(await page.evaluate(() => globalThis.owned), undefined);
    };
    const warning = page.locator(".unseen");
    for (const [words, decision] of [["zoe", "Reject"], ["Is it", "Answer instead"]]) {
      await page.goto(`${world.url}/#/inbox`);
      await page.locator(".inbox a", { hasText: words }).waitFor();
      await isText();
      await page.locator(".inbox a", { hasText: words }).click();
      await page.locator(".answers").waitFor();
      await isText();
      if (decision === "Reject") {
        const text = page.getByLabel("edit: arguments");
        assert.ok((await text.inputValue()).includes("\u202e"), "what is edited is what would be sent");
        await warning.waitFor();
        await text.fill('{"to": "zoe"}');
        await warning.waitFor({ state: "hidden" });
      } else {
        await page.getByLabel("respond: text").fill("no");
      }
      await page.getByRole("button", { name: decision }).click();
      await page.locator(".head .completed").waitFor();
    }
  },
  async "the inbox counts, and leads to one screen a decision"() {
    await page.locator("#inbox-count", { hasText: "8" }).waitFor();
    await page.goto(`${world.url}/#/inbox`);
    await page.locator(".inbox li").nth(6).waitFor();
    await picture("console-inbox.png");
    await page.locator(".inbox a", { hasText: world.approve_marker }).click();
    await seen("args sha256");
    await seen("header Idempotency-Key");
    await seen("POST http://127.0.0.1");
    await picture("console-decision.png");
    await page.getByRole("button", { name: "Approve" }).click();
    await page.locator(".head .completed").waitFor();
  },
  async "a call is sent changed, and the difference is shown before"() {
    await page.goto(`${world.url}/#/inbox`);
    await page.locator(".inbox a", { hasText: world.edit_marker }).click();
    const text = page.getByLabel("edit: arguments");
    const send = page.getByRole("button", { name: "Send it changed" });
    await text.fill("{");
    await seen("this is not JSON");
    assert.equal(await send.isDisabled(), true);
    await text.fill(JSON.stringify({ to: "dora", why: "to edit" }));
    await page.locator(".diff .gone", { hasText: "carl" }).waitFor();
    await page.locator(".diff .new", { hasText: "dora" }).waitFor();
    await send.click();
    await page.locator(".head .completed").waitFor();
  },
  async "large integers are shown and sent as they are"() {
    await page.goto(`${world.url}/#/inbox`);
    await page.locator(".inbox a", { hasText: "9007199254740993" }).click();
    await page.locator(".args", { hasText: "9007199254740993" }).waitFor();
    assert.match(await page.locator(".args").innerText(), /"rate": 3\.0\b/);
    const text = page.getByLabel("edit: arguments");
    await text.fill((await text.inputValue()).replace("to count", "counted"));
    await page.locator(".diff .new", { hasText: "counted" }).waitFor();
    assert.equal(await page.locator(".diff .new").count(), 1);
    await page.getByRole("button", { name: "Send it changed" }).click();
    await page.locator(".head .completed").waitFor();
    await page.locator(".timeline summary", { hasText: "succeeded" }).first().click();
    await seen("18446744073709551615");
  },
  async "a form is filled in"() {
    await page.goto(`${world.url}/#/inbox`);
    await page.locator(".inbox a", { hasText: "Which size?" }).click();
    await page.getByRole("button", { name: "Answer" }).click();
    await seen("size: is needed");
    await page.getByLabel("size").selectOption("L");
    assert.equal(await page.getByLabel("gift").inputValue(), "true");
    await page.getByLabel("gift").selectOption("no");
    await page.getByRole("button", { name: "Answer" }).click();
    await page.locator(".head .completed").waitFor();
  },
  async "what is no form is answered with JSON"() {
    await page.goto(`${world.url}/#/inbox`);
    await page.locator(".inbox a", { hasText: "Which ids?" }).click();
    await page.getByLabel("respond: JSON").fill("{");
    await page.getByRole("button", { name: "Answer" }).click();
    await page.locator(".error", { hasText: "JSON" }).waitFor();
    await page.getByLabel("respond: JSON").fill('{"ids": [9007199254740993]}');
    await page.getByRole("button", { name: "Answer" }).click();
    await page.locator(".head .completed").waitFor();
  },
  async "a doubt is answered with what came of it"() {
    await page.goto(`${world.url}/#/inbox`);
    await page.locator(".inbox a", { hasText: "Did this happen?" }).click();
    await seen("look there for this key");
    await page.getByLabel("happened: text", { exact: true }).fill('{"paid": true}');
    await page.getByRole("button", { name: "It happened" }).click();
    await page.locator(".head .completed").waitFor();
  },
  async "a question with choices offers them and nothing else"() {
    await page.goto(`${world.url}/#/inbox`);
    await page.locator(".inbox a", { hasText: "Which colour?" }).click();
    await page.getByRole("button", { name: "red" }).waitFor();
    assert.equal(await page.locator(".respond textarea").count(), 0);
    await page.getByRole("button", { name: "green" }).click();
    await page.locator(".head .completed").waitFor();
  },
  async "a rejection carries its reason"() {
    await page.goto(`${world.url}/#/inbox`);
    await page.locator(".inbox a", { hasText: world.reject_marker }).click();
    await page.getByLabel("reject: text").fill("not on Sundays");
    await page.getByRole("button", { name: "Reject" }).click();
    await page.locator(".head .completed").waitFor();
    await page.goto(`${world.url}/#/inbox`);
    await seen("Nobody is asked anything");
  },
  async "a decision that was taken elsewhere is said"() {
    await page.goto(`${world.url}/#/decide/${world.decided}`);
    await seen("Decided:");
    assert.equal(await page.getByRole("button", { name: "Approve" }).count(), 0);
  },
  async "a task is followed live through the death of the server"() {
    await page.goto(`${world.url}/#/task/${world.streaming}`);
    await page.locator(".timeline li", { hasText: "requested" }).waitFor();
    console.log("speak");
    await page.locator(".provisional", { hasText: "Once upon" }).waitFor();
    down = true;
    console.log("kill");
    await seen("the server went away");
    console.log("noticed");
    await read();
    await page.locator(".provisional").waitFor({ state: "detached" });
    await page.locator(".timeline .chip", { hasText: "2 attempts" }).waitFor();
    await seen("Once upon a time there was an end.");
    down = false;
    assert.equal(await page.locator(".timeline li", { hasText: "task created" }).count(), 1);
  },
};

const damage = {
  async "damaged tasks are listed as such"() {
    await page.goto(`${world.url}/#token=${world.token}`);
    await page.getByRole("link", { name: "damaged", exact: true }).click();
    await page.locator("tr .chip.damaged").first().waitFor();
    assert.equal(await page.locator("tbody tr").count(), 2);
  },
  async "their questions have no answer"() {
    await page.goto(`${world.url}/#/inbox`);
    await seen("There are damaged tasks.");
    await page.locator(".inbox a", { hasText: "cannot be shown or answered" }).click();
    await page.locator(".head .chip.damaged").waitFor();
    assert.ok(page.url().endsWith(`#/task/${world.asking}`));
    assert.equal(await page.getByRole("button", { name: "Approve" }).count(), 0);
  },
  async "one says what is damaged, and is ended"() {
    await page.goto(`${world.url}/#/task/${world.damaged}`);
    await seen("At record 1");
    await seen("These calls may have happened");
    await page.locator(".open li", { hasText: "pay" }).waitFor();
    await picture("console-damaged.png");
    await page.getByRole("button", { name: "End the damaged task" }).click();
    await page.locator(".head .chip.failed").waitFor();
    await page.locator(".open li", { hasText: "pay" }).waitFor();
    assert.equal(await page.getByRole("button", { name: "End the damaged task" }).count(), 0);
  },
};

let failed = false;
for (const [name, step] of Object.entries(world.only === "damage" ? damage : steps)) {
  try {
    await step();
    assert.deepEqual(faults, []);
    console.log(`ok      ${name}`);
  } catch (error) {
    failed = true;
    console.log(`FAILED  ${name}: ${error.message}\n${(await page.locator("body").innerText()).slice(0, 1500)}`);
    break;
  }
}
await context.close();
rmSync(profile, { recursive: true, force: true });
process.exit(failed ? 1 : 0);
