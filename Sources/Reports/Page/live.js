// A run while it is played: the stage, and what can be done to it.
const settingsShown = {
  limit: ["none", "request:16", "request:64", "request:256"],
  dialer: ["bind:127.32.0.1", "kernel", "rotate", "rotate-destination"],
  "max-idle": ["2", "64", "128", "1024"],
  "log-mode": ["off", "blocking", "async", "sampled", "metrics"],
  fanout: ["per-uri", "multiget:500"],
};
const token = new URLSearchParams(location.search).get("token");
const withToken = (path) => (token ? `${path}?token=${encodeURIComponent(token)}` : path);
const byId = (id) => document.getElementById(id);
let run = null, settings = {}, sending = {}, chart = "ports", isOver = false, isStopped = false;

document.body.classList.add("live");
const say = (text) => { byId("caption").textContent = text; };

function order(method, path, body) {
  const options = { method, headers: { "Content-Type": "application/json" } };
  if (body) options.body = JSON.stringify(body);
  return fetch(withToken(path), options).then(async (answer) => {
    if (!answer.ok) throw new Error((await answer.json()).message);
    return answer.json();
  });
}
/// Asks for something, and says what it means or why it was not done.
function ask(method, path, body, caption) {
  return order(method, path, body).then((now) => {
    settings = now;
    say(caption());
    show();
    return true;
  }, (error) => { say(error.message); return false; });
}
const change = (changes, caption) => ask("PATCH", "/settings", changes, () => caption);

// The source address whose ports are taken, and one that nobody has used.
function sourceNumber() {
  const texts = [String(settings.dialer), ...run.events.map((event) => event.text)];
  return Math.max(1, ...texts.map((text) => Number(/bind:127\.32\.0\.(\d+)/.exec(text)?.[1] ?? 1)));
}
const heavy = () => Object.keys(sending)[0];
function keepSending(goesOn) {
  const caption = byId("caption").textContent;
  return ask("POST", "/orders", { client: heavy(), send: goesOn ? "loop" : "pause" }, () => {
    sending[heavy()] = goesOn;
    return caption;
  });
}
const actions = {
  "send-batch": () => ask("POST", "/orders", { client: heavy(), send: "batch" }, () => `One batch of ${heavy()} is on its way.`),
  "heavy-loop": () => {
    const goesOn = !sending[heavy()];
    keepSending(goesOn).then((isDone) => {
      if (isDone) say(goesOn ? `${heavy()} sends one batch after the other.` : `${heavy()} stops when its batch is answered.`);
    });
  },
  incident: () => change({ limit: "none", "max-idle": 2, fanout: "per-uri", dialer: `bind:127.32.0.${sourceNumber()}` },
    "Incident: no limit, one source address, 2 idle connections. Each lookup opens a connection, and each leaves its port in TIME_WAIT for 60 s.")
    .then((isDone) => { if (isDone && heavy() && !sending[heavy()]) keepSending(true); }),
  workaround: () => change({ limit: "none", dialer: "rotate" },
    "Workaround: each connection from another address of 127.0.0.0/8, each with ports of its own. No more errors, many more sockets."),
  fix: () => change({ limit: "request:64", "max-idle": 128, fanout: "per-uri", dialer: "rotate" },
    "Fix: at most 64 lookups of a batch at once, and 128 idle connections kept. The next batch finds its connections open."),
  "one-address": () => change({ dialer: `bind:127.32.0.${sourceNumber()}` },
    "One source address again. With the fix nothing is opened, so nothing needs a port."),
  "fresh-ports": () => change({ dialer: `bind:127.32.0.${Math.min(254, sourceNumber() + 1)}` },
    "A source address that nobody has used: all of its ports are free."),
  "restart-server": () => ask("POST", "/faults", { do: "restart server" },
    () => "The server is restarted. Its ports stay in TIME_WAIT: the new process finds them taken."),
  "stop-memcached": () => {
    const what = isStopped ? "continue" : "stop";
    ask("POST", "/faults", { do: `${what} memcached` }, () => {
      isStopped = what === "stop";
      return isStopped ? "memcached keeps its connections and answers nothing." : "memcached answers again.";
    });
  },
  next: () => ask("POST", "/next", null, () => "The next phase begins when the batches in flight are answered."),
  end: () => ask("POST", "/end", null, () => "The run ends when the batches in flight are answered."),
};
for (const [id, action] of Object.entries(actions)) byId(id).addEventListener("click", action);

// The chart alone, as large as the screen: with key F, and keys for what is played, as no button is seen.
function fill(isFull) {
  document.body.classList.toggle("full", isFull);
  // Where a page may not take the whole screen, it fills its window all the same.
  if (isFull && navigator.userActivation?.isActive) document.documentElement.requestFullscreen?.().catch(() => {});
  if (!isFull && document.fullscreenElement) document.exitFullscreen().catch(() => {});
}
byId("full-screen").addEventListener("click", () => fill(true));
document.addEventListener("fullscreenchange", () => { if (!document.fullscreenElement) fill(false); });
const keys = { 1: "incident", 2: "workaround", 3: "fix", b: "send-batch" };
document.addEventListener("keydown", (event) => {
  if (isOver || event.target.matches?.("input") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "f" || event.key === "F") fill(!document.body.classList.contains("full"));
  else if (event.key === "Escape") fill(false);
  else if (keys[event.key] && (event.key !== "b" || heavy())) actions[keys[event.key]]();
});
document.querySelectorAll("[data-chart]").forEach((button) => button.addEventListener("click", () => {
  chart = button.dataset.chart;
  show();
  draw();
}));

function element(parent, tag, attributes, text = "") {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.textContent = text;
  parent.append(node);
  return node;
}
for (const [name, values] of Object.entries(settingsShown)) {
  const group = element(byId("switches"), "fieldset", {});
  element(group, "legend", {}, name);
  for (const value of values) {
    element(group, "button", { type: "button", "data-setting": name, "data-value": value }, value)
      .addEventListener("click", () => change({ [name]: value }, `${name} = ${value}`));
  }
  const other = element(group, "input", { placeholder: "other", "aria-label": `other value of ${name}`, size: 9 });
  other.addEventListener("change", () => { if (other.value) change({ [name]: other.value.trim() }, `${name} = ${other.value.trim()}`); other.value = ""; });
}

function press(button, isPressed) { button.setAttribute("aria-pressed", String(isPressed)); }
function show() {
  document.querySelectorAll("[data-setting]").forEach((button) =>
    press(button, String(settings[button.dataset.setting]) === button.dataset.value));
  document.querySelectorAll("[data-chart]").forEach((button) => press(button, button.dataset.chart === chart));
  byId("heavy").hidden = !heavy();
  if (heavy()) press(byId("heavy-loop"), sending[heavy()]);
  press(byId("stop-memcached"), isStopped);
  const isBound = String(settings.dialer).startsWith("bind:");
  press(byId("incident"), settings.limit === "none" && isBound && (!heavy() || sending[heavy()]));
  press(byId("workaround"), settings.limit === "none" && settings.dialer === "rotate");
  press(byId("fix"), settings.limit === "request:64" && Number(settings["max-idle"]) >= 64);
}
function showStory(position) {
  document.title = `Spiral: ${run.scenario}, live`;
  byId("title").textContent = `Spiral: ${run.scenario}`;
  byId("story").textContent = position || run.description;
}

// The pictures are drawn by the run's program; one is asked for at a time.
let isAsking = false, isStale = false;
function draw() {
  if (isAsking) { isStale = true; return; }
  if (isOver) return;
  isAsking = true;
  const parts = [["stage", `/stage/${chart}`]];
  if (byId("all-charts").open) parts.push(["charts", "/charts"]);
  Promise.all(parts.map(([id, path]) => fetch(withToken(path)).then((answer) => (answer.ok ? answer.text() : null)).then((html) => {
    if (html === null || isOver) return;
    byId(id).innerHTML = html;
    if (id === "charts") { makeReadable(byId(id)); readOut(); }
  }))).catch(() => {}).finally(() => {
    isAsking = false;
    if (isStale) { isStale = false; draw(); }
  });
}
byId("all-charts").addEventListener("toggle", draw);

const feed = new EventSource(withToken("/events"));
feed.addEventListener("run", (event) => {
  const news = JSON.parse(event.data);
  ({ run, settings, sending } = news);
  say(run.description || "connected");
  showStory(news.position);
  show();
  draw();
});
feed.addEventListener("point", (event) => {
  const news = JSON.parse(event.data);
  run.timeline.push(news.point);
  ({ settings, sending } = news);
  showStory(news.position);
  show();
  draw();
});
feed.addEventListener("event", (event) => {
  const news = JSON.parse(event.data);
  run.events.push(news);
  if (!news.byHand && !["phase", "client"].includes(news.kind)) say(news.text);
});
feed.addEventListener("end", (event) => {
  isOver = true;
  feed.close();
  fill(false);
  const { html, result } = JSON.parse(event.data);
  run = result;
  document.body.classList.remove("live");
  byId("page").innerHTML = html;
  makeReadable(document);
});
feed.addEventListener("error", () => {
  if (!isOver) say("The run does not answer; it has ended, or the connection is lost.");
});
