// A run while it is played: figures, switches, and the charts as they move.
const settingsShown = {
  limit: ["none", "request:16", "request:64", "request:256"],
  dialer: ["bind:127.32.0.1", "kernel", "rotate", "rotate-destination"],
  "max-idle": ["2", "64", "128", "1024"],
  "log-mode": ["off", "blocking", "async", "sampled", "metrics"],
  fanout: ["per-uri", "multiget:500"],
};
/// Seconds the charts go back.
const span = 180;

const token = new URLSearchParams(location.search).get("token");
const withToken = (path) => (token ? `${path}?token=${encodeURIComponent(token)}` : path);
const page = document.getElementById("page");
let run = null, settings = {}, isOver = false;

const title = add(page, "h1", {}, "Spiral");
const story = add(page, "p", { class: "soft" });
const figures = add(page, "dl", { class: "figures", id: "figures" });
const panel = add(page, "div", { class: "switches", id: "switches" });
const status = add(page, "p", { class: "status", id: "status", role: "status" }, "connecting…");
const area = add(page, "div");

function order(path, body) {
  const options = { method: body ? "PATCH" : "POST", headers: { "Content-Type": "application/json" } };
  if (body) options.body = JSON.stringify(body);
  return fetch(withToken(path), options).then(async (answer) => {
    if (!answer.ok) throw new Error((await answer.json()).message);
    return answer.json();
  });
}
function change(name, value) {
  status.textContent = `${name} = ${value} …`;
  order("/settings", { [name]: value }).then((now) => {
    settings = now;
    status.textContent = `${name} = ${now[name]}`;
    showSettings();
  }, (error) => { status.textContent = error.message; });
}

const buttons = [];
for (const [name, values] of Object.entries(settingsShown)) {
  const group = add(panel, "fieldset");
  add(group, "legend", {}, name);
  for (const value of values) {
    const button = add(group, "button", { type: "button", "data-setting": name, "data-value": value }, value);
    button.addEventListener("click", () => change(name, value));
    buttons.push({ name, value, button });
  }
  const other = add(group, "input", { placeholder: "other", "aria-label": `other value of ${name}`, size: 9 });
  other.addEventListener("change", () => { if (other.value) change(name, other.value.trim()); other.value = ""; });
}
const course = add(panel, "fieldset");
add(course, "legend", {}, "run");
for (const [text, path] of [["next phase", "/next"], ["end", "/end"]]) {
  add(course, "button", { type: "button", id: path.slice(1) }, text).addEventListener("click", () =>
    order(path).then(() => { status.textContent = `${text}: when the batches under way are answered`; },
      (error) => { status.textContent = error.message; }));
}

function showSettings() {
  buttons.forEach(({ name, value, button }) => button.setAttribute("aria-pressed", String(settings[name]) === value));
}
function showFigures(point) {
  const capacity = run.environment.portRange[1] - run.environment.portRange[0] + 1;
  const errors = Object.entries(point.errorsPerSecond).filter(([, rate]) => rate > 0).sort((a, b) => b[1] - a[1]);
  const rows = [
    ["ports of one address", `${number(point.portsInUse)} of ${number(capacity)}`, point.portsInUse >= capacity],
    ["TIME_WAIT", number(point.timeWait)],
    ["dials a second", number(point.dialsPerSecond)],
    ["errors a second", number(errors.reduce((sum, [, rate]) => sum + rate, 0)) + (errors.length ? ` ${errors[0][0]}` : ""), errors.length > 0],
    ["in flight", number(point.inFlight)],
    ["server", point.isUp ? `${number(point.threads)} threads, ${number(point.rssBytes / 1048576)} MiB` : "down", !point.isUp],
    ...Object.keys(point.clients).map((name) => {
      // The last answer may be some samples ago.
      const answered = run.timeline.findLast((one) => Number.isFinite(one.clients[name]?.p99));
      return [`${name}, p99`, answered ? `${number(answered.clients[name].p99)} ms` : "waiting"];
    }),
  ];
  figures.replaceChildren();
  rows.forEach(([name, value, isBad]) => {
    const box = add(figures, "div");
    add(box, "dt", {}, name);
    add(box, "dd", isBad ? { class: "bad" } : {}, value);
  });
}
function showStory(place) {
  document.title = `Spiral: ${run.scenario}, live`;
  title.textContent = `Spiral: ${run.scenario}`;
  story.textContent = place || run.description;
}

const feed = new EventSource(withToken("/events"));
feed.addEventListener("run", (event) => {
  const news = JSON.parse(event.data);
  ({ run, settings } = news);
  status.textContent = "connected";
  showStory(news.place);
  showSettings();
  const last = run.timeline.at(-1);
  if (last) showFigures(last);
  drawCharts(area, run, Math.max(0, (last?.at ?? 0) - span));
});
feed.addEventListener("point", (event) => {
  const news = JSON.parse(event.data);
  run.timeline.push(news.point);
  settings = news.settings;
  showStory(news.place);
  showSettings();
  showFigures(news.point);
  drawCharts(area, run, Math.max(0, news.point.at - span));
});
feed.addEventListener("event", (event) => run.events.push(JSON.parse(event.data)));
feed.addEventListener("end", (event) => {
  isOver = true;
  feed.close();
  drawReport(JSON.parse(event.data));
});
feed.addEventListener("error", () => {
  if (!isOver) status.textContent = "the run does not answer; it has ended, or the connection is lost";
});
