/// Draws the report of a run that has ended, in the place of what the page held.
function drawReport(run) {
  const page = document.getElementById("page");
  page.replaceChildren();

  function section(title, note) {
    add(page, "h2", {}, title);
    if (note) add(page, "p", { class: "soft" }, note);
  }
  function table(header, rows, textColumns = []) {
    const box = add(page, "div", { class: "wide" });
    const body = add(box, "table");
    const head = add(body, "tr");
    header.forEach((name) => add(head, "th", {}, name));
    rows.forEach((row) => {
      const line = add(body, "tr");
      row.forEach((cell, column) => {
        const td = add(line, "td", textColumns.includes(column) ? { class: "text" } : {});
        if (cell && cell.mark !== undefined) add(td, "span", { class: cell.mark ? "good" : "bad" }, cell.text);
        else td.append(cell);
      });
    });
  }

  document.title = `Spiral: ${run.scenario}`;
  add(page, "h1", {}, `Spiral: ${run.scenario}`);
  if (run.description) add(page, "p", { class: "soft" }, run.description);
  // What happened, told from the figures below: the first sentence says it all.
  if (run.story?.length) {
    const story = add(page, "div", { class: "story", id: "story" });
    run.story.forEach((sentence, index) => add(add(story, "p"), index ? "span" : "b", {}, sentence));
  }
  const verdict = add(page, "div", { class: run.verdict.pass ? "verdict" : "verdict failed", id: "verdict" });
  add(verdict, "b", { class: run.verdict.pass ? "good" : "bad" }, run.verdict.text);
  const percent = (value) => (value === null ? number(value) : `${number(value)}%`);
  const claims = run.phases.flatMap((phase) => phase.expectations.map((claim) => ({ phase: phase.name, ...claim })));
  add(verdict, "p", {}, `${claims.filter((claim) => claim.pass).length} of ${claims.length} expectations passed`
    + (run.interrupted ? `; interrupted before the end${run.interruptedBecause ? `: ${run.interruptedBecause}` : ""}` : ""));
  const withSLO = run.phases.flatMap((phase) => phase.clients.filter((client) => client.slo).map((client) => ({ phase: phase.name, ...client })));
  for (const name of new Set(withSLO.map((client) => client.name))) {
    const course = withSLO.filter((client) => client.name === name);
    add(verdict, "p", {}, `${name}, complete within ${number(course[0].slo.ms)} ms: `
      + course.map((client) => `${client.phase} ${percent(client.slo.percent)}`).join(", "));
  }
  run.verdict.missing.forEach((line) => add(verdict, "p", { class: "bad" }, line));

  section("The cascade", "The stages of the post-mortem, and what of each was measured in this run.");
  const cascade = add(page, "ol", { class: "cascade", id: "cascade" });
  run.cascade.forEach((stage) => {
    const item = add(cascade, "li", stage.happened ? {} : { class: "not" });
    add(item, "b", {}, `${stage.name}${stage.happened ? ` at ${number(stage.at)} s` : ": did not happen"}`);
    item.append(stage.detail);
  });

  section("What happened", "Point at a chart to read all of them at one moment. Shaded: phases. Dotted: a change or a fault. "
    + "Solid red: the server ended.");
  drawCharts(add(page, "div"), run);

  section("Phases");
  // Results of older versions do not have the values that could not be read.
  const unreadable = (phase) => phase.lookups.unreadable || 0;
  const lookups = (phase) => phase.lookups.hits + phase.lookups.misses + unreadable(phase)
    + Object.values(phase.lookups.errors).reduce((a, b) => a + b, 0);
  const errors = [...new Set(run.phases.flatMap((phase) => Object.keys(phase.lookups.errors)))].sort();
  const rows = [
    ["lookups", (phase) => number(lookups(phase))],
    ["found", (phase) => number(phase.lookups.hits)],
    ...(run.phases.some(unreadable) ? [["unreadable", (phase) => number(unreadable(phase))]] : []),
    ...errors.map((name) => [name, (phase) => number(phase.lookups.errors[name] || 0)]),
    ["in flight, peak", (phase) => number(phase.inFlightPeak)],
    ["dials expected", (phase) => number(phase.dials.expected)],
    ["dials made", (phase) => number(phase.dials.ok)],
    ["ports in use, peak", (phase) => `${number(phase.portsInUsePeak)} of ${number(phase.portsCapacity)}`],
    ["TIME_WAIT, peak", (phase) => number(phase.timeWaitPeak)],
    ["threads, peak", (phase) => number(phase.threadsPeak)],
    ["memory, peak MiB", (phase) => number(phase.rssPeakBytes === null ? null : phase.rssPeakBytes / 1048576)],
    ["error lines", (phase) => number(phase.logLines.written)],
    ["restarts", (phase) => number(phase.restarts)],
  ];
  table(["", ...run.phases.map((phase) => phase.name)], rows.map(([name, cell]) => [name, ...run.phases.map(cell)]));
  run.phases.filter((phase) => phase.dials.expected === null && phase.dials.reasoning).forEach((phase) =>
    add(page, "p", { class: "soft" }, `${phase.name}: dials are not predicted: ${phase.dials.reasoning}.`));

  const slo = (one) => {
    if (!one) return "–";
    const text = `${percent(one.percent)} in ${number(one.ms)} ms`;
    return one.percent === null ? text : { mark: one.percent >= 99, text };
  };
  section("What each caller paid", "Latency from the moment a batch was due to the last byte of its answer.");
  table(["phase", "caller", "batches", "URIs", "answered", "failed", "p50 ms", "p99 ms", "max ms", "complete within SLO", "load beside it"],
    run.phases.flatMap((phase) => phase.clients.map((client) => [phase.name, client.name, number(client.batches), number(client.uris),
      number(client.ok), client.failed ? { mark: false, text: number(client.failed) } : "0",
      number(client.latencyMs?.p50), number(client.latencyMs?.p99), number(client.latencyMs?.max),
      slo(client.slo),
      `${number(phase.clients.filter((other) => other !== client).reduce((sum, other) => sum + other.uris, 0) / phase.duration)} URIs/s`])), [1]);

  section("Expectations");
  table(["", "phase", "expected", "observed"], claims.map((claim) =>
    [{ mark: claim.pass, text: claim.pass ? "pass" : "FAIL" }, claim.phase, claim.text, claim.observed]), [1, 2]);

  if (run.predictions.length) {
    section("Predicted and measured", "From the port budget's arithmetic: ports, idle connections and what was asked for.");
    table(["what", "predicted", "measured", "difference"], run.predictions.map((one) => [one.what,
      `${number(one.predicted)} ${one.unit}`, `${number(one.measured)} ${one.unit}`,
      one.predicted ? `${number(100 * (one.measured - one.predicted) / one.predicted, 2)}%` : "–"]), [0]);
  }
  section("Changes and faults");
  table(["at", "what"], run.events.filter((event) => event.kind !== "phase").map((event) => [`${number(event.at)} s`, event.text]), [1]);

  section("How this differs from the outage");
  const list = add(page, "ul");
  run.fidelity.forEach((note) => add(list, "li", {}, note));

  section("Where it was played");
  const place = run.environment;
  table(["", ""], [
    ["date", place.date], ["kernel", `${place.kernel}, ${place.cores} cores`], ["memcached", place.memcached],
    ["libmemcached", place.libmemcached], ["network", place.network], ["port range", place.portRange.join("–")],
    ["tcp_tw_reuse", place.tcpTwReuse], ["lanes", place.lanes || "-"], ["descriptors", number(place.nofile)], ["memory limit", place.memoryLimit || "none"],
    ["seed", place.seed], ["clients", place.clients.join("; ") || "none"], ["arguments", place.arguments.join(" ") || "none"],
    ...portSettings(place.portSettings || {}),
    ["schema", run.schema],
  ], [1]);
}

/// What else the kernel had set about ports, as far as it has such settings.
function portSettings(set) {
  return [
    ["ip_local_reserved_ports", set.reservedPorts === "" ? "none" : set.reservedPorts],
    ["tcp_tw_reuse_delay", set.twReuseDelayMs === undefined ? undefined : `${number(set.twReuseDelayMs)} ms`],
    ["tcp_max_tw_buckets", set.maxTwBuckets === undefined ? undefined : number(set.maxTwBuckets)],
    ["ip_autobind_reuse", set.autobindReuse === undefined ? undefined : set.autobindReuse ? "1" : "0"],
  ].filter(([, value]) => value !== undefined);
}
