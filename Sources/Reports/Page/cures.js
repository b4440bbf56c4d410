/// Draws the page of the cures: the table, each cure with its reason and cost, the rules, and what the figures depend on.
function drawCures(result) {
  const page = document.getElementById("page");
  const words = { cures: "cures", harms: "cures and harms", helps: "helps", nothing: "does nothing", worse: "makes it worse", unavailable: "not played" };
  const colour = { cures: "good", harms: "bad", worse: "bad", helps: "", nothing: "soft", unavailable: "soft" };
  const sum = (values) => values.reduce((total, value) => total + value, 0);
  const failed = result.cures.flatMap((row) => row.expectations.filter((one) => !one.pass).map((one) => [row, one]));
  const broken = result.cures.filter((row) => row.error);
  const count = (verdict) => result.cures.filter((row) => row.verdict === verdict).length;
  document.title = "Spiral: why not just …?";
  add(page, "h1", {}, "Why not just …?");
  add(page, "p", { class: "soft" }, `Every change that people propose against the outage, each against the same load in a network namespace of its own: `
    + `${number(result.plan.ports)} ephemeral ports, ${result.plan.batchesPerRound === 1 ? "a batch" : `${result.plan.batchesPerRound} batches`} of ${number(result.plan.uris)} URIs at once, `
    + `and the same again a second after the end of it, with small callers and another program's dials beside them.`);
  const verdict = add(page, "div", { class: failed.length || broken.length ? "verdict failed" : "verdict", id: "findings" });
  add(verdict, "b", {}, ["cures", "harms", "helps", "nothing", "worse", "unavailable"].filter(count)
    .map((one) => `${count(one)} ${words[one]}`).join(" · "));
  failed.forEach(([row, one]) => add(verdict, "p", { class: "bad" }, `Not as expected: ${row.name}: ${one.text}, observed: ${one.observed}.`));
  broken.forEach((row) => add(verdict, "p", { class: "bad" }, `Broken off: ${row.name}: ${row.error}`));
  if (result.interrupted) add(verdict, "p", { class: "bad" }, "Interrupted: not all were played.");

  add(page, "h2", {}, "What each came to");
  const table = add(add(page, "div", { class: "wide" }), "table", { id: "ranking" });
  const head = add(table, "tr");
  ["cure", "verdict", "URIs found, first round", "a second later", "errors", "dials", "of them failed", "TIME_WAIT", "ports held", "other program's dials",
    "small callers in time", "heavy p99 ms", "CPU s, server + memcached", "MiB, server + memcached"].forEach((name, index) => add(head, "th", index < 2 ? { class: "text" } : {}, name));
  const client = (row, name) => (row.clients ?? []).find((one) => one.name === name);
  result.cures.forEach((row) => {
    const line = add(table, "tr", { "data-cure": row.name, "data-verdict": row.verdict });
    const cell = (value, note = "", attributes = {}) => {
      const td = add(line, "td", attributes, value);
      if (note) add(td, "small", {}, note);
    };
    cell(row.title, row.name, { class: "text" });
    cell(words[row.verdict], row.verdict === "unavailable" ? row.because : "", { class: `text ${colour[row.verdict]}` });
    if (!row.dials) return;
    const found = (round) => {
      const batches = row.batches.filter((one) => one.round === round);
      const asked = sum(batches.map((one) => one.uris)), got = sum(batches.map((one) => one.found));
      cell(asked ? `${number(100 * got / asked)}%` : "–", number(got));
    };
    [1, 2].forEach(found);
    const errors = Object.entries(row.dials.errorsByCall).sort((a, b) => b[1] - a[1]);
    cell(errors.length ? number(sum(errors.map(([, times]) => times))) : "0", errors.map(([name]) => name).join(", "));
    cell(number(row.dials.ok + row.dials.failed));
    cell(number(row.dials.failed));
    cell(number(row.timeWaitPeak));
    cell(number(row.portsInUsePeak), `of ${number(row.portsCapacity)}`);
    const dialled = row.others.ok + row.others.failed;
    cell(dialled ? `${number(row.others.ok)} of ${number(dialled)}` : "–", Object.keys(row.others.errors).join(", "));
    const small = client(row, "appview")?.slo?.percent;
    cell(small === undefined || small === null ? "–" : `${number(small)}%`);
    cell(number(client(row, "new-service")?.latencyMs?.p99));
    cell(`${number(row.cpuSeconds.server)} + ${number(row.cpuSeconds.memcached)}`);
    const mebibytes = (bytes) => (bytes ? number(bytes / 1048576) : "–");
    cell(`${mebibytes(row.rssPeakBytes)} + ${mebibytes(row.memcachedRSSPeakBytes)}`);
  });

  add(page, "h2", {}, "Why, and at what cost");
  const reasons = add(add(page, "div", { class: "wide" }), "table", { id: "reasons" });
  const top = add(reasons, "tr");
  ["cure", "why", "cost", "source", "expected"].forEach((name) => add(top, "th", { class: "text" }, name));
  result.cures.forEach((row) => {
    const line = add(reasons, "tr");
    [row.title, row.why, row.cost, row.source].forEach((text) => add(line, "td", { class: "text" }, text));
    const cell = add(line, "td", { class: "text" });
    if (!row.expectations.length) cell.append("–");
    row.expectations.forEach((one) => add(cell, "div", { class: one.pass ? "good" : "bad" }, one.pass ? `${one.observed}, as expected` : `${one.text}; observed: ${one.observed}`));
  });

  add(page, "h2", {}, "How a verdict is found");
  add(page, "p", { class: "soft" }, "The first of these that applies.");
  const rules = add(page, "ol");
  result.rules.forEach((rule) => add(rules, "li", {}, rule));
  add(page, "h2", {}, "What the figures depend on");
  const notes = add(page, "ul", { id: "fidelity" });
  result.fidelity.forEach((note) => add(notes, "li", {}, note));
}
