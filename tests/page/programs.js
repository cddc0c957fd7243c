// A real `wxtoken platform` and a real `wxtoken serve` before it.
"use strict";
const { spawn } = require("node:child_process");
const { createHash } = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const readline = require("node:readline");

const SECRET = "a-secret-that-stays-at-the-server";
const running = [];

/** Starts a program of ours and waits for its first lines. */
async function start(command, args, env, log, lines) {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ["pipe", "pipe", log] });
  running.push(child);
  const said = [];
  for await (const line of readline.createInterface({ input: child.stdout })) {
    said.push(line);
    if (said.length === lines) break;
  }
  if (said.length < lines) throw new Error(`${args[0]} ended: ${said}`);
  child.stdout.resume();
  return { said, child };
}

async function stop(child) {
  if (child.exitCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await ended;
}

/** Ends what was started here, the last first. */
async function end() {
  for (const child of running.reverse()) await stop(child);
}

async function platform(wxtoken, accounts) {
  const options = accounts.flatMap(({ name, kind }) => ["--account", `${kind}:${name}:${SECRET}`]);
  const { said: [listening, control] } = await start(wxtoken, ["platform", ...options], {}, "ignore", 2);
  const url = listening.replace(/^listening on /, ""), orders = control.replace(/^control on /, "");
  const order = async (path, body) => {
    const reply = await fetch(orders + path, { method: "POST", body: JSON.stringify(body) });
    if (!reply.ok) throw new Error(`${path}: ${await reply.text()}`);
  };
  return { url, order };
}

async function server(wxtoken, folder, platform, accounts, clients) {
  let text = 'store = "store.redb"\n';
  for (const { name, kind, tickets } of accounts) {
    text += `[[account]]\nname = "${name}"\nkind = "${kind}"\nid = "${name}"\nsecret = { env = "PAGE_SECRET" }\n`;
    text += `base = "${platform.url}"\ntickets = ${JSON.stringify(tickets || [])}\n`;
  }
  for (const { name, key, accounts: own, may } of clients) {
    const digest = createHash("sha256").update(key).digest("hex");
    text += `[[client]]\nname = "${name}"\nkey_sha256 = "${digest}"\naccounts = ${JSON.stringify(own)}\nmay = ${JSON.stringify(may)}\n`;
  }
  const config = path.join(folder, "wxtoken.toml");
  const log = fs.openSync(path.join(folder, "log"), "w");
  const serve = async (port) => {
    fs.writeFileSync(config, `listen = "127.0.0.1:${port}"\n${text}`);
    const args = ["serve", "--config", config, "--lang", "en"];
    const { said: [line], child } = await start(wxtoken, args, { PAGE_SECRET: SECRET }, log, 1);
    return { url: line.replace(/.* on /, ""), child };
  };
  const { url, child } = await serve(0);
  return { url, stop: () => stop(child), again: () => serve(new URL(url).port) };
}

module.exports = { SECRET, platform, server, end };
