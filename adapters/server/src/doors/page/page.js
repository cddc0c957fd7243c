// The status page: what /v1/status says, kept true by /v1/status/events. The key is in one variable of this file and nowhere
// else; all text is set as text.
"use strict";
(() => {
  const TEXTS = {
    en: {
      skip: "Skip to the accounts", leave: "Forget the key", enterTitle: "How are the accounts?",
      enterWhy: "Enter a key of this server. It stays in this page's memory until the page is closed; nothing is stored.",
      key: "Key", enter: "Show", find: "Filter by name or id", findHint: "Filter…", caption: "Accounts and their credentials",
      colAccount: "Account", colState: "State", colLife: "Life left", colNext: "Next fetch", colGeneration: "Generation",
      colLedger: "Fetches today", colReads: "Reads/min", colAct: "Action", rotate: "Rotate…",
      states: { ok: "OK", refreshing: "Refreshing", waiting: "Waiting", failing: "Failing", down: "Down" },
      stateHints: { ok: "valid", refreshing: "valid, the next one is being fetched", waiting: "nothing valid yet", failing: "valid, the last fetch failed", down: "nothing valid" },
      kinds: { official: "Official account", "mini-program": "Mini program", work: "WeCom app" },
      credentials: { token: "token", jsapi: "jsapi ticket", wx_card: "card ticket", agent_config: "agent ticket" },
      all: "All", statesGroup: "Show accounts by state", now: "now", running: "running", ofToken: "after its token", unsaved: "not stored",
      acts: { operator: "This server's operator must act.", administrator: "An administrator of the account must act.", nobody: "Nobody need act, it is tried again." },
      badKey: "The server does not know this key.", noServer: "The server does not answer.", limited: "Too many requests; wait a little.",
      live: "Live", lost: "Connection lost, trying again", connecting: "Connecting", langSwitch: "中文", langLabel: "切换到中文",
      themeDark: "Dark", themeLight: "Light", themeLabel: "Switch colours",
      none: "No account fits.", noAccounts: "This key has no accounts.", more: (n) => `Show ${n} more`, cut: (n) => `Only the first ${n} accounts are here.`,
      askTitle: (what) => `Fetch a new ${what}?`,
      askWhy: { stable_token: "A forced refresh: it counts against WeChat's daily allowance. The old one is served until the new one is here, and WeChat accepts it for a short while after.", other: "The old one is served until the new one is here, and WeChat accepts it for a short while after." },
      askYes: "Rotate", askNo: "Cancel", askDone: "Close", asking: "Asking…",
      refreshing: (g) => `A new one is being fetched; generation ${g} is served meanwhile.`, came: (g) => `Done: generation ${g} is held now.`,
      heldOff: (s) => `Not now: it may be fetched again in ${s}.`, kept: "It is kept: too young to be replaced.", failed: "It was not granted: ",
      up: (t) => `up ${t}`, fetching: (n) => `${n} fetches under way`, total: (n) => `${n} accounts`, day: "d",
      lifeLabel: (left, life) => `${left} of ${life} left`,
      storeFails: "The store fails; what is held goes on being served. ", store: {},
    },
    zh: {
      skip: "跳到账号列表", leave: "清除密钥", enterTitle: "账号状态", enterWhy: "请输入本服务器的密钥。密钥只保存在本页面的内存中，关闭页面即消失，不会写入任何存储。",
      key: "密钥", enter: "查看", find: "按名称或 ID 筛选", findHint: "筛选…", caption: "账号及其凭证",
      colAccount: "账号", colState: "状态", colLife: "剩余有效期", colNext: "下次获取", colGeneration: "代次",
      colLedger: "今日获取", colReads: "每分钟读取", colAct: "操作", rotate: "更换…",
      states: { ok: "正常", refreshing: "更新中", waiting: "等待中", failing: "获取失败", down: "不可用" },
      stateHints: { ok: "有效", refreshing: "有效，正在获取下一个", waiting: "尚无有效凭证", failing: "仍有效，但上次获取失败", down: "没有有效凭证" },
      kinds: { official: "公众号", "mini-program": "小程序", work: "企业微信应用" },
      credentials: { token: "token", jsapi: "jsapi ticket", wx_card: "卡券 ticket", agent_config: "应用 ticket" },
      all: "全部", statesGroup: "按状态显示账号", now: "即将", running: "进行中", ofToken: "待 token 就绪", unsaved: "未写入存储",
      acts: { operator: "需要本服务器的运维人员处理。", administrator: "需要该账号的管理员处理。", nobody: "无需处理，会自动重试。" },
      badKey: "服务器不认识此密钥。", noServer: "服务器没有应答。", limited: "请求过于频繁，请稍候。",
      live: "实时", lost: "连接中断，正在重连", connecting: "正在连接", langSwitch: "English", langLabel: "Switch to English",
      themeDark: "深色", themeLight: "浅色", themeLabel: "切换配色",
      none: "没有符合条件的账号。", noAccounts: "此密钥没有账号。", more: (n) => `再显示 ${n} 个`, cut: (n) => `此处仅列出前 ${n} 个账号。`,
      askTitle: (what) => `获取新的 ${what}？`,
      askWhy: { stable_token: "这是一次强制刷新，会计入微信的每日额度。新凭证到达之前继续使用旧凭证，此后微信仍会短暂接受旧凭证。", other: "新凭证到达之前继续使用旧凭证，此后微信仍会短暂接受旧凭证。" },
      askYes: "更换", askNo: "取消", askDone: "关闭", asking: "正在请求…",
      refreshing: (g) => `正在获取新凭证，期间继续使用第 ${g} 代。`, came: (g) => `完成：现在使用第 ${g} 代。`,
      heldOff: (s) => `暂不能更换：${s} 后可再次获取。`, kept: "保持不变：当前凭证太新，暂不更换。", failed: "未获准：",
      up: (t) => `已运行 ${t}`, fetching: (n) => `${n} 个获取进行中`, total: (n) => `${n} 个账号`, day: "天",
      lifeLabel: (left, life) => `剩余 ${left}，共 ${life}`,
      storeFails: "存储发生故障，已持有的凭证继续提供。",
      store: {
        full: "磁盘已满；请腾出空间，之后会自动写入。", read_only: "存储无法写入；请修复其权限，或将文件系统挂载为可写，之后会自动写入。",
        stuck: "存储没有应答；磁盘是否卡住？", damaged: "存储已损坏且无法移开；请将该文件移走并重启服务器。", closed: "存储已关闭。",
      },
    },
  };
  const STATES = ["down", "failing", "waiting", "refreshing", "ok"];
  const ROWS = 200, MOST = 10000, PAGE = 1000, POLL_MS = 30000, CALM_MS = 5000, SILENCE_MS = 40000, LONGEST_BACKOFF_MS = 30000;

  const $ = (id) => document.getElementById(id);
  const table = document.querySelector("table");
  const recall = (name) => { try { return localStorage.getItem(`wxtoken.${name}`); } catch { return null; } };
  const remember = (name, value) => { try { localStorage.setItem(`wxtoken.${name}`, value); } catch { /* not allowed: it is for this page only */ } };

  let key = null, session = null;
  let lang = recall("lang") || ((navigator.language || "").toLowerCase().startsWith("zh") ? "zh" : "en");
  if (!TEXTS[lang]) lang = "en";
  let T = TEXTS[lang];
  let accounts = new Map(), views = new Map(), order = [], shown = ROWS;
  let server = null, total = 0, cut = false, only = null, rotation = null;

  // Elements, with text as text.
  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const put = (element, text) => { if (element.textContent !== text) element.textContent = text; };
  const say = (element, name, value) => { if (element.getAttribute(name) !== value) element.setAttribute(name, value); };
  const number = (n) => n.toLocaleString(lang === "zh" ? "zh-CN" : "en");

  const span = (seconds) => {
    const s = Math.max(0, Math.floor(seconds)), two = (n) => String(n).padStart(2, "0");
    const days = Math.floor(s / 86400), hours = Math.floor((s % 86400) / 3600), minutes = Math.floor((s % 3600) / 60);
    if (days) return `${days} ${T.day} ${hours}:${two(minutes)}`;
    return hours ? `${hours}:${two(minutes)}:${two(s % 60)}` : `${minutes}:${two(s % 60)}`;
  };
  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
  const worst = (states) => STATES.find((state) => states.includes(state)) || "ok";

  // What a credential is at this moment: the server spoke of another.
  const passed = (account) => (performance.now() - account.at) / 1000;
  const stateNow = (credential, seconds) =>
    ["ok", "refreshing", "failing"].includes(credential.state) && seconds >= credential.expires_in ? "down" : credential.state;
  const stateOf = (account) => {
    const seconds = passed(account);
    return worst(account.credentials.map((credential) => stateNow(credential, seconds)));
  };

  // One account: a group of rows, made once for as long as its credentials are the same.
  function view(account) {
    const body = make("tbody"), parts = [];
    account.credentials.forEach((credential, nth) => {
      const row = make("tr", "credential");
      let name = null;
      if (nth === 0) {
        name = make("th"); name.scope = "rowgroup"; name.rowSpan = 0;
        name.sub = make("span", "sub");
        name.append(make("span", "", account.name), name.sub, make("span", "sub id", account.id));
        row.append(name);
      }
      const state = make("td"), word = make("span", "word"), stateText = make("span"), what = make("span", "sub");
      word.append(make("span", "dot"), stateText);
      state.append(word, what);
      const life = make("td", "life-cell wide"), line = make("div", "life"), track = make("div", "track");
      const fill = make("div", "fill"), tick = make("div", "tick"), left = make("span", "left");
      track.setAttribute("role", "meter"); track.setAttribute("aria-valuemin", "0");
      track.append(fill, tick); line.append(track, left); life.append(line);
      const next = make("td", "num"), generation = make("td", "num"), ledger = make("td", "num"), reads = make("td", "num");
      const act = make("td", "act");
      let button = null;
      if (account.may_rotate) {
        button = make("button", "", T.rotate); button.type = "button";
        button.addEventListener("click", () => ask(account.name, credential.kind));
        act.append(button);
      }
      row.append(state, life, next, generation, ledger, reads, act);
      const trouble = make("tr", "trouble"), remedyCell = make("td"), remedy = make("div", "remedy");
      remedyCell.colSpan = 7; remedyCell.append(remedy); trouble.append(remedyCell);
      body.append(row, trouble);
      parts.push({ name, row, stateText, what, track, fill, tick, left, next, generation, ledger, reads, button, trouble, remedy, life, said: "" });
    });
    return { body, parts, shape: shape(account) };
  }
  const shape = (account) => account.may_rotate + account.credentials.map((credential) => credential.kind).join();

  function fill(found, account) {
    const seconds = passed(account);
    account.credentials.forEach((credential, nth) => {
      const part = found.parts[nth];
      const state = stateNow(credential, seconds), left = Math.max(0, credential.expires_in - seconds);
      if (part.name) put(part.name.sub, T.kinds[account.kind] || account.kind);
      say(part.row, "data-state", state);
      say(part.trouble, "data-state", state);
      put(part.stateText, T.states[state]);
      say(part.stateText, "title", T.stateHints[state]);
      put(part.what, T.credentials[credential.kind] + (credential.saved ? "" : ` · ${T.unsaved}`));
      const share = credential.life ? Math.min(1, left / credential.life) : 0;
      part.fill.style.width = `${(share * 100).toFixed(2)}%`;
      const wait = credential.next_fetch_in === null ? null : Math.max(0, credential.next_fetch_in - seconds);
      const tickAt = credential.life && wait !== null ? (left - wait) / credential.life : 0;
      part.tick.hidden = !(tickAt > 0 && tickAt < 1) || !left;
      part.tick.style.left = `${(tickAt * 100).toFixed(2)}%`;
      put(part.left, left ? span(left) : "–");
      part.left.classList.toggle("near", left > 0 && state === "failing" && left < 600);
      say(part.track, "aria-valuemax", String(credential.life)); say(part.track, "aria-valuenow", String(Math.floor(left)));
      say(part.track, "aria-valuetext", T.lifeLabel(span(left), span(credential.life))); say(part.track, "aria-label", T.colLife);
      put(part.next, wait === null ? T.ofToken : credential.fetching ? T.running : wait < 1 ? T.now : span(wait));
      put(part.generation, number(credential.generation));
      put(part.ledger, `${number(credential.ledger.fetches)} / ${number(credential.ledger.limit)}`);
      put(part.reads, number(credential.readers_per_minute));
      say(part.next, "data-label", T.colNext); say(part.generation, "data-label", T.colGeneration);
      say(part.ledger, "data-label", T.colLedger); say(part.reads, "data-label", T.colReads);
      if (part.button) {
        put(part.button, T.rotate);
        say(part.button, "aria-label", `${T.askYes}: ${account.name} ${T.credentials[credential.kind]}`);
      }
      const refusal = credential.refusal, said = refusal ? `${lang} ${JSON.stringify(refusal)}` : "";
      part.trouble.hidden = !refusal;
      if (part.said !== said) {
        part.said = said;
        part.remedy.replaceChildren();
        if (refusal) {
          part.remedy.append(make("b", "", T.acts[refusal.act] || ""), ` ${refusal[lang]}`);
        }
      }
    });
  }

  function viewOf(account) {
    let found = views.get(account.name);
    if (!found || found.shape !== shape(account)) {
      const fresh = view(account);
      if (found) found.body.replaceWith(fresh.body);
      views.set(account.name, fresh);
      found = fresh;
    }
    return found;
  }

  // Which accounts are shown, and in what order: what needs somebody first. Rows move only here, never under a reader's eyes.
  function arrange() {
    const wanted = $("find").value.trim().toLowerCase();
    const fitting = [];
    for (const account of accounts.values()) {
      const state = stateOf(account);
      if (only && state !== only) continue;
      if (wanted && !account.name.toLowerCase().includes(wanted) && !account.id.toLowerCase().includes(wanted)) continue;
      fitting.push([STATES.indexOf(state) < 2 ? STATES.indexOf(state) : 2, account.name]);
    }
    fitting.sort((a, b) => a[0] - b[0] || (a[1] < b[1] ? -1 : 1));
    const now = fitting.slice(0, shown).map(([, name]) => name), keep = new Set(now);
    const focused = document.activeElement;
    for (const [name, found] of views) if (!keep.has(name)) { found.body.remove(); views.delete(name); }
    let before = table.tHead;
    for (const name of now) {
      const account = accounts.get(name), found = viewOf(account);
      fill(found, account);
      if (before.nextSibling !== found.body) before.after(found.body);
      before = found.body;
    }
    if (focused && focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
    order = now;
    $("nothing").hidden = now.length > 0;
    put($("nothing"), accounts.size ? T.none : T.noAccounts);
    $("more").hidden = fitting.length <= now.length;
    put($("more"), T.more(number(Math.min(ROWS, fitting.length - now.length))));
    summary();
  }

  function summary() {
    const counts = Object.fromEntries(STATES.map((state) => [state, 0]));
    for (const account of accounts.values()) counts[stateOf(account)] += 1;
    for (const button of $("states").children) {
      const state = button.dataset.state;
      put(button.lastChild, number(state ? counts[state] : accounts.size));
      put(button.firstChild.nextSibling, state ? T.states[state] : T.all);
      button.title = state ? T.stateHints[state] : "";
      say(button, "aria-pressed", String((only || "") === state));
    }
    const bad = counts.down + counts.failing;
    document.title = bad ? `(${bad}) wxtoken` : "wxtoken";
    const foot = [T.total(number(total))];
    if (cut) foot.push(T.cut(number(accounts.size)));
    if (server) foot.push(T.fetching(number(server.fetching)), T.up(span(server.uptime)));
    $("foot").replaceChildren(...foot.map((text) => make("span", "", text)));
    put($("version"), server ? server.version : "");
    $("store").hidden = !(server && server.store_trouble);
    put($("store"), server && server.store_trouble ? T.storeFails + (T.store[server.store] || server.store_trouble) : "");
  }

  function relabel() {
    T = TEXTS[lang];
    document.documentElement.lang = lang === "zh" ? "zh-CN" : "en";
    for (const element of document.querySelectorAll("[data-t]")) put(element, T[element.dataset.t]);
    $("find").placeholder = T.findHint;
    put($("lang"), T.langSwitch); say($("lang"), "aria-label", T.langLabel); say($("lang"), "lang", lang === "zh" ? "en" : "zh-CN");
    say($("states"), "aria-label", T.statesGroup);
    put($("refused"), "");
    put($("askYes"), T.askYes);
    themed();
    if (session) { live(session.state); arrange(); }
  }

  function themed() {
    const chosen = document.documentElement.dataset.theme;
    const dark = chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    put($("theme"), dark ? T.themeLight : T.themeDark); say($("theme"), "aria-label", `${T.themeLabel}: ${dark ? T.themeLight : T.themeDark}`);
    return dark;
  }

  function live(state) {
    if (session) session.state = state;
    say($("live"), "data-on", { live: "yes", lost: "no" }[state] || "");
    put($("live"), T[state]);
  }

  // Asks the server. The key goes along in the header and nowhere else.
  const request = (path, options = {}) => fetch(path, {
    ...options, cache: "no-store", credentials: "omit", redirect: "error", referrerPolicy: "no-referrer",
    headers: { ...(options.headers || {}), Authorization: `Bearer ${key}` },
  });

  class Refused extends Error {}

  async function load(signal) {
    const fresh = new Map();
    let after = "", next = null, page = null;
    do {
      const asked = performance.now();
      const reply = await request(`/v1/status?limit=${PAGE}&after=${encodeURIComponent(after)}`, { signal });
      if (reply.status === 401) throw new Refused(T.badKey);
      if (!reply.ok) throw new Error(reply.status === 429 ? T.limited : T.noServer);
      page = await reply.json();
      const at = performance.now();
      for (const account of page.accounts) {
        const known = accounts.get(account.name);
        // An event that came meanwhile is newer.
        fresh.set(account.name, known && known.at > asked ? known : { ...account, at });
      }
      next = page.next; after = next || "";
    } while (next && fresh.size < MOST);
    accounts = fresh; total = page.total; server = page.server || null; cut = Boolean(next);
    arrange();
    settled();
  }

  function take(changed) {
    const at = performance.now();
    for (const account of changed) {
      if (!accounts.has(account.name) && cut) continue;
      accounts.set(account.name, { ...account, at });
      if (views.has(account.name)) fill(viewOf(accounts.get(account.name)), accounts.get(account.name));
    }
    summary();
    settled();
  }

  // The events of a stream, as they come.
  async function* events(reply, heard) {
    const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      heard();
      text += value;
      for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
        const event = { name: "message", data: "" };
        for (const line of text.slice(0, end).split("\n")) {
          if (line.startsWith("event: ")) event.name = line.slice(7);
          if (line.startsWith("data: ")) event.data += line.slice(6);
        }
        text = text.slice(end + 2);
        if (event.data) yield event;
      }
    }
  }

  // Follows the server until told to stop; comes back when cut off, later each time.
  async function follow(mine) {
    let tries = 0;
    while (session === mine) {
      const silence = new AbortController();
      mine.abort = () => silence.abort();
      mine.loaded = -CALM_MS;
      let timer = setTimeout(mine.abort, SILENCE_MS);
      const heard = () => { clearTimeout(timer); timer = setTimeout(mine.abort, SILENCE_MS); };
      try {
        const reply = await request("/v1/status/events", { signal: silence.signal });
        if (reply.status === 401) throw new Refused(T.badKey);
        if (!reply.ok) throw new Error(T.noServer);
        for await (const { name, data } of events(reply, heard)) {
          if (session !== mine) break;
          if (name === "all") {
            // Where so much happens that it cannot be told one by one, all of it is asked for now and then.
            await sleep(mine.loaded + CALM_MS - performance.now());
            await load(silence.signal);
            mine.loaded = performance.now();
          }
          if (name === "accounts") take(JSON.parse(data).accounts);
          tries = 0;
          live("live");
        }
      } catch (error) {
        if (session !== mine) return;
        if (error instanceof Refused) return leave(error.message);
      } finally {
        clearTimeout(timer);
        silence.abort();
      }
      if (session !== mine) return;
      live("lost");
      tries += 1;
      const wait = Math.min(LONGEST_BACKOFF_MS, 500 * 2 ** tries);
      await sleep(wait / 2 + Math.random() * wait / 2);
    }
  }

  async function enter(given) {
    key = given;
    const mine = { state: "connecting", loaded: 0, polled: performance.now(), abort: () => {} };
    try {
      await load();
    } catch (error) {
      key = null;
      put($("refused"), error instanceof TypeError ? T.noServer : error.message);
      $("key").focus();
      return;
    }
    session = mine;
    $("enter").hidden = true;
    for (const id of ["board", "live", "leave"]) $(id).hidden = false;
    put($("refused"), "");
    live("connecting");
    arrange();
    $("main").focus({ preventScroll: true });
    follow(mine);
  }

  function leave(why) {
    const was = session;
    key = null; session = null; rotation = null; server = null; only = null;
    if (was) was.abort();
    accounts = new Map();
    arrange();
    document.title = "wxtoken";
    if ($("ask").open) $("ask").close();
    for (const id of ["board", "live", "leave"]) $(id).hidden = true;
    $("find").value = "";
    $("enter").hidden = false;
    put($("refused"), why || "");
    $("key").focus();
  }

  // Rotation: asked for, confirmed, and its outcome told.
  function ask(name, kind) {
    const account = accounts.get(name);
    if (!account) return;
    rotation = { name, kind, from: null };
    put($("askTitle"), T.askTitle(`${T.credentials[kind]} · ${name}`));
    put($("askWhy"), kind === "token" && account.endpoint === "stable_token" ? T.askWhy.stable_token : T.askWhy.other);
    told("");
    put($("askNo"), T.askNo);
    $("askYes").hidden = false; $("askYes").disabled = false;
    $("ask").showModal();
    $("askNo").focus();
  }

  function told(text, bad) {
    say($("askSaid"), "data-bad", bad ? "yes" : "no");
    put($("askSaid"), text);
  }

  async function rotate() {
    const mine = rotation;
    if (!mine) return;
    $("askYes").disabled = true;
    told(T.asking);
    const path = mine.kind === "token" ? "token" : `tickets/${mine.kind}`;
    let text = T.noServer, bad = true;
    try {
      const reply = await request(`/v1/accounts/${encodeURIComponent(mine.name)}/${path}/rotate`, { method: "POST" });
      const body = await reply.json();
      if (reply.status === 401) return leave(T.badKey);
      if (!reply.ok) text = T.failed + (body.detail || body.title);
      else if (body.outcome === "held_off") text = T.heldOff(span(body.retry_after || 0));
      else if (body.outcome === "kept") text = T.kept;
      else { mine.from = body.generation; text = T.refreshing(number(body.generation)); bad = false; }
    } catch { /* said already */ }
    if (rotation !== mine) return;
    told(text, bad);
    $("askYes").hidden = true;
    put($("askNo"), T.askDone);
    $("askNo").focus();
    settled();
  }

  // Whether what was asked for has come.
  function settled() {
    if (!rotation || rotation.from === null) return;
    const account = accounts.get(rotation.name);
    const credential = account && account.credentials.find((credential) => credential.kind === rotation.kind);
    if (!credential) return;
    if (credential.generation > rotation.from) told(T.came(number(credential.generation)));
    else if (credential.refusal && !credential.fetching) told(credential.refusal[lang], true);
  }

  // What is on the page from the start.
  for (const state of ["", ...STATES]) {
    const button = make("button");
    button.type = "button"; button.dataset.state = state;
    const dot = make("span", "dot");
    dot.hidden = !state;
    button.append(dot, make("span"), make("b", "", "0"));
    button.addEventListener("click", () => { only = state && only !== state ? state : null; shown = ROWS; arrange(); });
    $("states").append(button);
  }
  $("enter").addEventListener("submit", (event) => {
    event.preventDefault();
    const given = $("key").value.trim();
    $("key").value = "";
    // A header takes no more than this; no key has other characters.
    if (/^[\x21-\x7e]+$/.test(given)) enter(given); else put($("refused"), T.badKey);
  });
  $("find").addEventListener("input", () => { shown = ROWS; arrange(); });
  $("more").addEventListener("click", () => { shown += ROWS; arrange(); });
  $("leave").addEventListener("click", () => leave());
  $("lang").addEventListener("click", () => { lang = lang === "zh" ? "en" : "zh"; remember("lang", lang); relabel(); });
  $("theme").addEventListener("click", () => {
    const theme = themed() ? "light" : "dark";
    document.documentElement.dataset.theme = theme; remember("theme", theme); themed();
  });
  $("askNo").addEventListener("click", () => $("ask").close());
  $("askYes").addEventListener("click", rotate);
  $("ask").addEventListener("close", () => { rotation = null; });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && session && !$("ask").open && !(event.target instanceof HTMLInputElement)) { event.preventDefault(); $("find").focus(); }
  });
  setInterval(() => {
    if (!session || document.hidden) return;
    for (const name of order) { const found = views.get(name); if (found) fill(found, accounts.get(name)); }
  }, 1000);
  // Reads a minute change with nothing happening, so nothing tells of them. Of many accounts they are asked for less often.
  setInterval(() => {
    const since = session ? performance.now() - session.polled : 0;
    if (session && session.state === "live" && !document.hidden && since >= POLL_MS * Math.ceil(accounts.size / PAGE)) {
      session.polled = performance.now();
      load().catch(() => {});
    }
  }, POLL_MS / 6);

  const theme = recall("theme");
  if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
  relabel();
  $("enter").hidden = false;
  $("key").focus();
})();
