/// Draws the report of a sweep: what is recommended, the ranking, heat maps and curves.
function drawSweep(sweep) {
  const page = document.getElementById("page");
  const names = sweep.plan.variations.map((variation) => variation.name);
  const text = (values) => values.map((value, index) => `${names[index]}=${value}`).join(" ");
  const range = (one) => (number(one.min) === number(one.max) ? "" : `${number(one.min)}–${number(one.max)}`);
  const spread = (one) => number(one.median) + (range(one) && ` (${range(one)})`);
  const measures = [
    { id: "smallP99", title: "p99 of the small callers", unit: "ms", of: (one) => one.smallP99, less: true },
    { id: "lookups", title: "Lookups answered", unit: "a second", of: (one) => one.lookupsPerSecond, less: false },
    { id: "heavyP99", title: "p99 of the heavy caller", unit: "ms", of: (one) => one.heavyP99, less: true },
    { id: "dials", title: "Dials", unit: "a second", of: (one) => one.dialsPerSecond, less: true },
    { id: "errors", title: "Failed lookups", unit: "in a run", of: (one) => one.errors, less: true },
  ];

  document.title = "Spiral: sweep";
  add(page, "h1", {}, "Spiral: sweep");
  add(page, "p", { class: "soft" }, `${names.join(" × ")}: ${sweep.ranking.length} combinations, ${sweep.runs.length} runs of `
    + `${sweep.plan.duration} s after ${sweep.plan.warmUp} s of warm-up, each in a network namespace of its own. `
    + `Clients: ${sweep.plan.clients.join("; ")}.`);
  const verdict = add(page, "div", { class: "verdict", id: "findings" });
  sweep.findings.forEach((line, index) => (index === 0 ? add(verdict, "b", {}, line) : add(verdict, "p", {}, line)));
  sweep.runs.filter((run) => run.error).forEach((run) =>
    add(verdict, "p", { class: "bad" }, `Not measured: ${text(run.cell.values)}, repetition ${run.cell.turn}: ${run.error}`));

  add(page, "h2", {}, "Ranking");
  add(page, "p", { class: "soft" }, "What fails or runs out of ports comes last, and what was not answered after it; the others by what the small callers waited. "
    + "Median of its runs, with least and most below.");
  const box = add(page, "div", { class: "wide" });
  const table = add(box, "table", { id: "ranking" });
  const head = add(table, "tr");
  ["settings", "lookups/s", "small p99 ms", "complete within SLO", "heavy p99 ms", "dials/s", "TIME_WAIT", "errors", "threads", "MiB"]
    .forEach((name) => add(head, "th", {}, name));
  sweep.ranking.forEach((one) => {
    const row = add(table, "tr");
    const cell = (value, note = "") => {
      const place = add(row, "td", {}, value);
      if (note) add(place, "small", {}, note);
    };
    const measure = (value, mark = "") => (value ? cell(number(value.median) + mark, range(value)) : cell("–"));
    cell(text(one.values));
    if (!one.runs) {
      ["–", "–", "–", "–", "–", "–", "crashed", "–", "–"].forEach((value) => cell(value));
      return;
    }
    [one.lookupsPerSecond, one.smallP99].forEach((value) => measure(value));
    measure(one.smallInTime, "%");
    measure(one.heavyP99);
    measure(one.dialsPerSecond, one.exhaustsPorts ? " !" : "");
    measure(one.timeWaitPeak);
    const names = Object.entries(one.errorsByName).sort((a, b) => b[1].median - a[1].median).map(([name]) => name);
    cell(one.crashes ? `crashed ${one.crashes}×` : number(one.errors?.median), names.join(" "));
    [one.threadsPeak, one.rssPeakMiB].forEach((value) => measure(value));
  });
  add(page, "p", { class: "soft" }, "“!”: more dials, failed ones included, than the ports of one address sustain.");

  // The two variations with most values span a heat map; each combination of the others has its own.
  const byCount = names.map((_, index) => index).sort((a, b) =>
    sweep.plan.variations[b].values.length - sweep.plan.variations[a].values.length);
  const across = byCount[0], down = byCount[1];
  const others = (values) => values.filter((_, index) => index !== across && index !== down);
  const otherNames = others(names);
  const facets = [...new Set(sweep.ranking.map((one) => JSON.stringify(others(one.values))))].sort().map((key) => JSON.parse(key));
  add(page, "h2", {}, "Heat maps");
  measures.forEach((measure) => {
    const all = sweep.ranking.map(measure.of).filter((value) => value).map((value) => value.median);
    if (!all.some((value) => value > 0)) return;
    const low = Math.log10(1 + Math.min(...all)), high = Math.log10(1 + Math.max(...all));
    const figure = add(page, "figure", { id: `heat-${measure.id}` });
    add(add(figure, "figcaption", {}, `${measure.title} `), "span", {}, `${measure.unit}; darker is ${measure.less ? "worse" : "better"}`);
    const boxes = add(figure, "div", { class: "facets" });
    facets.forEach((facet) => {
      const part = add(boxes, "div", { class: "wide" });
      if (facet.length) add(part, "p", { class: "soft" }, facet.map((value, index) => `${otherNames[index]}=${value}`).join(" "));
      const map = add(part, "table", { class: "heat" });
      const top = add(map, "tr");
      add(top, "th", {}, down === undefined ? names[across] : `${names[down]} \\ ${names[across]}`);
      sweep.plan.variations[across].values.forEach((value) => add(top, "th", {}, value));
      (down === undefined ? [null] : sweep.plan.variations[down].values).forEach((rowValue) => {
        const row = add(map, "tr");
        add(row, "th", {}, rowValue ?? "");
        sweep.plan.variations[across].values.forEach((value) => {
          const one = sweep.ranking.find((other) => other.values[across] === value
            && (down === undefined || other.values[down] === rowValue)
            && JSON.stringify(others(other.values)) === JSON.stringify(facet));
          const spreadOfOne = one && measure.of(one);
          const cell = add(row, "td", {}, number(spreadOfOne?.median));
          if (!spreadOfOne) return;
          const share = high > low ? (Math.log10(1 + spreadOfOne.median) - low) / (high - low) : 0;
          cell.style.background = `color-mix(in srgb, var(${measure.less ? "--c5" : "--c0"}) ${Math.round(8 + 60 * share)}%, var(--card))`;
          cell.title = `${text(one.values)}: ${spread(spreadOfOne)} ${measure.unit}`;
        });
      });
    });
  });

  // Curves over the number of a limit, one for each combination of the others.
  const limit = names.indexOf("limit");
  const kinds = new Map();
  sweep.ranking.filter((one) => one.runs).forEach((one) => {
    const [kind, count] = (limit >= 0 ? one.values[limit] : "").split(":");
    if (!/^\d+$/.test(count ?? "")) return;
    const key = one.values.map((value, index) => (index === limit ? `${kind}:N` : `${names[index]}=${value}`)).join(" ");
    kinds.set(key, [...(kinds.get(key) ?? []), { x: Number(count), one }]);
  });
  const curves = [...kinds].filter(([, points]) => points.length > 2)
    .map(([name, points]) => ({ name, points: points.sort((a, b) => a.x - b.x) }));
  if (curves.length) {
    add(page, "h2", {}, "Curves");
    measures.slice(0, 4).forEach((measure) => {
      // What was not measured is no point of a curve.
      const measured = curves.map(({ name, points }) => ({ name, points: points.filter((point) => measure.of(point.one)) }))
        .filter(({ points }) => points.length);
      if (measured.length) curve(page, measure, measured);
    });
  }

  add(page, "h2", {}, "Where it was measured");
  const place = sweep.environment;
  if (place) {
    add(page, "p", {}, `${place.date}; kernel ${place.kernel}, ${place.cores} cores; memcached ${place.memcached}, `
      + `libmemcached ${place.libmemcached}; ports ${place.portRange.join("–")}; tcp_tw_reuse ${place.tcpTwReuse}; `
      + `seed ${sweep.plan.seed}; ${sweep.schema}.`);
  }
}

/// One measure over the number of the limit: median as a line, least and most as bars.
function curve(page, measure, curves) {
  const size = { width: Math.min(960, Math.max(340, page.clientWidth)), height: 250, left: 62, right: 12, top: 14, bottom: 26 };
  const xs = [...new Set(curves.flatMap((one) => one.points.map((point) => point.x)))].sort((a, b) => a - b);
  const top = Math.max(1, ...curves.flatMap((one) => one.points.map((point) => measure.of(point.one).max)));
  const logarithmic = measure.less;
  const scale = (value) => (logarithmic ? Math.log10(1 + value) / Math.log10(1 + top * 1.2) : value / (top * 1.05));
  const inner = size.width - size.left - size.right, tall = size.height - size.top - size.bottom;
  const first = Math.log(xs[0]), last = Math.log(xs[xs.length - 1]);
  const x = (value) => size.left + 10 + (inner - 20) * (last > first ? (Math.log(value) - first) / (last - first) : 0.5);
  const y = (value) => size.top + tall * (1 - scale(value));
  const figure = add(page, "figure", { id: `curve-${measure.id}` });
  add(add(figure, "figcaption", {}, `${measure.title} `), "span", {}, measure.unit + (logarithmic ? ", logarithmic" : ""));
  const svg = add(figure, "svg", { viewBox: `0 0 ${size.width} ${size.height}`, role: "img", "aria-label": measure.title });
  niceTicks(0, top, logarithmic).forEach((tick) => {
    add(svg, "line", { class: "grid", x1: size.left, x2: size.width - size.right, y1: y(tick), y2: y(tick) });
    add(svg, "text", { x: size.left - 6, y: y(tick) + 4, "text-anchor": "end" }, number(tick));
  });
  xs.forEach((value) => add(svg, "text", { x: x(value), y: size.height - 8, "text-anchor": "middle" }, number(value)));
  const legend = add(figure, "div", { class: "legend" });
  curves.forEach((one, index) => {
    const colour = colours[index % colours.length];
    const path = one.points.map((point, place) => `${place ? "L" : "M"}${x(point.x).toFixed(1)} ${y(measure.of(point.one).median).toFixed(1)}`);
    add(svg, "path", { class: "series", d: path.join(""), stroke: colour, "data-series": one.name,
      "data-max": Math.max(...one.points.map((point) => measure.of(point.one).median)) });
    one.points.forEach((point) => {
      const value = measure.of(point.one);
      const bar = add(svg, "line", { stroke: colour, "stroke-width": 5, "stroke-opacity": 0.45, x1: x(point.x), x2: x(point.x), y1: y(value.min) + 1, y2: y(value.max) - 1 });
      add(bar, "title").textContent = `${one.name} ${point.x}: ${number(value.median)} (${number(value.min)}–${number(value.max)}) ${measure.unit}`;
    });
    const label = add(legend, "span");
    add(label, "i", { style: `border-color:${colour}` });
    label.append(one.name);
  });
}
