// Elements and numbers.
function add(parent, tag, attributes = {}, ...children) {
  const svg = ["svg", "path", "line", "rect", "text", "g"].includes(tag);
  const node = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children.map(String));
  parent.append(node);
  return node;
}
function number(value, digits = 3) {
  if (value === null || value === undefined) return "–";
  if (Math.abs(value) >= 1000 || Number.isInteger(value)) return Math.round(value).toLocaleString("en-US");
  return String(Number(value.toPrecision(digits)));
}

// Charts: one time axis, phases shaded, events marked.
const colours = [0, 1, 2, 3, 4, 5, 6].map((index) => `var(--c${index})`);
const charts = [];
let pointedAt = null;

function niceTicks(low, high, logarithmic) {
  if (logarithmic) {
    const ticks = [0];
    for (let power = 1; power <= high * 1.001; power *= 10) ticks.push(power);
    return ticks;
  }
  const raw = (high - low) / 4, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((value) => value >= raw * 0.999);
  const ticks = [];
  for (let value = Math.ceil(low / step) * step; value <= high * 1.001; value += step) ticks.push(value);
  return ticks;
}

/// What all charts of a run have in common.
/// begin: seconds since the run began from which on it is shown.
function frame(run, begin) {
  const page = document.getElementById("page");
  const points = run.timeline.filter((point) => point.at >= begin);
  const last = Math.max(1, ...points.map((point) => point.at), ...run.phases.map((phase) => phase.start + phase.duration));
  const starts = run.events.filter((event) => event.kind === "phase");
  return {
    points, begin, end: Math.max(last, begin + 1), events: run.events.filter((event) => event.at >= begin),
    phases: starts.map((event, index) => ({
      name: event.text, from: Math.max(begin, event.at), to: index + 1 < starts.length ? starts[index + 1].at : last,
    })).filter((phase) => phase.to > begin),
    // Drawn as wide as the page is, so that labels keep their size on a telephone.
    width: Math.min(960, Math.max(340, page.clientWidth)), height: 230, left: 62, right: 12, top: 22, bottom: 24,
  };
}

/// series: name, value of a point (null leaves a gap), and how it is drawn.
function chart(parent, { points, begin, end, events, phases, ...size }, id, title, unit, series, options = {}) {
  const shown = series.filter((one) => points.some((point) => one.value(point) > 0));
  if (shown.length === 0) return;
  const values = shown.flatMap((one) => points.map(one.value)).filter((value) => value !== null && value !== undefined);
  const top = Math.max(1, ...values) * (options.logarithmic ? 1.3 : 1.05);
  const scale = (value) => (options.logarithmic ? Math.log10(1 + value) / Math.log10(1 + top) : value / top);
  const inner = size.width - size.left - size.right, tall = size.height - size.top - size.bottom;
  const x = (at) => size.left + ((at - begin) / (end - begin)) * inner;
  const y = (value) => size.top + tall * (1 - scale(value));

  const figure = add(parent, "figure", { id });
  const caption = add(figure, "figcaption", {}, title + " ");
  add(caption, "span", {}, unit + (options.logarithmic ? ", logarithmic" : ""));
  const svg = add(figure, "svg", { viewBox: `0 0 ${size.width} ${size.height}`, role: "img", "aria-label": title });
  const bands = add(svg, "g");
  phases.forEach((phase) => {
    const wide = x(phase.to) - x(phase.from);
    add(bands, "rect", { class: "band", x: x(phase.from), y: size.top, width: wide, height: tall });
    if (wide > 7 * phase.name.length) add(svg, "text", { x: x(phase.from) + 4, y: size.top - 7 }, phase.name);
  });
  niceTicks(0, top, options.logarithmic).forEach((tick) => {
    add(svg, "line", { class: "grid", x1: size.left, x2: size.width - size.right, y1: y(tick), y2: y(tick) });
    add(svg, "text", { x: size.left - 6, y: y(tick) + 4, "text-anchor": "end" }, number(tick));
  });
  niceTicks(begin, end, false).forEach((tick) =>
    add(svg, "text", { x: x(tick), y: size.height - 8, "text-anchor": "middle" }, `${number(tick)} s`));
  events.filter((event) => event.kind !== "phase" && event.kind !== "client").forEach((event) => {
    const mark = add(svg, "line", { class: `event ${event.kind}`, x1: x(event.at), x2: x(event.at), y1: size.top, y2: size.top + tall });
    add(mark, "title").textContent = `${number(event.at)} s: ${event.text}`;
  });
  const legend = add(figure, "div", { class: "legend" });
  shown.forEach((one, index) => {
    const colour = one.colour || colours[index % colours.length];
    let path = "", pen = false;
    points.forEach((point) => {
      const value = one.value(point);
      if (value === null || value === undefined) { pen = one.joined ? pen : false; return; }
      path += `${pen ? "L" : "M"}${x(point.at).toFixed(1)} ${y(value).toFixed(1)}`;
      pen = true;
    });
    const highest = Math.max(0, ...points.map((point) => one.value(point) ?? 0));
    add(svg, "path", { class: `series ${one.style || ""}`, d: path || "M0 0", stroke: colour, "data-series": one.name, "data-max": highest });
    const label = add(legend, "span");
    add(label, "i", { style: `border-color:${colour}`, class: one.style || "" });
    label.append(one.name + " ");
    one.readout = add(label, "b", {}, `max ${number(highest)}`);
    one.highest = highest;
  });
  const cursor = add(svg, "line", { class: "grid", x1: 0, x2: 0, visibility: "hidden", y1: size.top, y2: size.top + tall });
  charts.push({ points, x, shown, cursor });
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    pointedAt = (((event.clientX - box.left) / box.width) * size.width - size.left) / inner * (end - begin) + begin;
    readOut();
  });
  svg.addEventListener("pointerleave", () => { pointedAt = null; readOut(); });
}
/// All charts show the same moment.
function readOut() {
  charts.forEach(({ points, x, shown, cursor }) => {
    const point = pointedAt === null ? null
      : points.reduce((best, one) => (Math.abs(one.at - pointedAt) < Math.abs(best.at - pointedAt) ? one : best), points[0]);
    cursor.setAttribute("visibility", point ? "visible" : "hidden");
    cursor.setAttribute("x1", point ? x(point.at) : 0);
    cursor.setAttribute("x2", point ? x(point.at) : 0);
    shown.forEach((one) => {
      one.readout.textContent = point ? `${number(one.value(point))} at ${number(point.at)} s` : `max ${number(one.highest)}`;
    });
  });
}

/// The charts of a run, from a moment on, in the place of what the element held.
function drawCharts(parent, run, begin = 0) {
  parent.replaceChildren();
  charts.length = 0;
  const shared = frame(run, begin);
  const { points } = shared;
  if (!points.length) return;
  const capacity = run.environment.portRange[1] - run.environment.portRange[0] + 1;
  const draw = (...what) => chart(parent, shared, ...what);
  draw("ports", "Ports towards memcached", "sockets", [
    { name: "ports in use by one address", value: (point) => point.portsInUse },
    { name: "TIME_WAIT, all addresses", value: (point) => point.timeWait },
    { name: "established", value: (point) => point.established, style: "thin" },
    { name: "ports one address has", value: () => capacity, style: "dashed", colour: "var(--c5)" },
  ], { logarithmic: true });
  draw("rates", "Dials and failed lookups", "a second", [
    { name: "dials", value: (point) => point.dialsPerSecond },
    ...errorNames(points).map((name) => ({ name, value: (point) => point.errorsPerSecond[name] || 0,
      ...(name === "EADDRINUSE" ? { colour: "var(--c5)" } : {}) })),
  ], { logarithmic: true });
  const clients = [...new Set(points.flatMap((point) => Object.keys(point.clients)))].sort();
  draw("latency", "Latency of each caller", "ms; solid p99, dashed p50", clients.flatMap((name, index) => [
    { name: `${name} p99`, value: (point) => point.clients[name]?.p99 ?? null, colour: colours[index % 7], joined: true },
    { name: `${name} p50`, value: (point) => point.clients[name]?.p50 ?? null, colour: colours[index % 7], style: "dashed thin", joined: true },
  ]), { logarithmic: true });
  draw("threads", "Threads of the server", "threads", [{ name: "threads", value: (point) => point.threads }]);
  draw("memory", "Memory of the server", "MiB", [
    { name: "resident", value: (point) => point.rssBytes / 1048576 },
    { name: "charged to its cgroup", value: (point) => (point.cgroupBytes == null ? null : point.cgroupBytes / 1048576) },
  ]);
  draw("log", "Error log", "lines", [
    { name: "written a second", value: (point) => point.logLinesPerSecond },
    { name: "waiting for the log's reader", value: (point) => point.logWaiting },
  ]);
  draw("inflight", "Lookups in flight", "lookups, seen twice a second; the table has the peaks in between", [
    { name: "in flight", value: (point) => point.inFlight },
    { name: "limit", value: (point) => point.limit ?? null, style: "dashed", colour: "var(--c5)" },
  ]);
  readOut();
}

function errorNames(points) {
  return [...new Set(points.flatMap((point) => Object.keys(point.errorsPerSecond)))].sort();
}
