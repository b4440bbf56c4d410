// Reading all charts at one moment: with a pointer, by touch, or with the arrow keys. The charts themselves are in the
// page, and so are their values, in the table behind each.
const reading = { at: null };

function rowsOf(figure) {
  if (!figure.rows) {
    figure.rows = [...figure.querySelectorAll("tr[data-at]")].map((row) => ({ at: Number(row.dataset.at), row }));
    figure.names = [...figure.querySelectorAll("table.values thead th")].slice(1).map((one) => one.textContent);
  }
  return figure.rows;
}
function nearest(rows, at) {
  return rows.reduce((best, one) => (Math.abs(one.at - at) < Math.abs(best.at - at) ? one : best), rows[0]);
}
function readOut() {
  document.querySelectorAll("figure.chart-figure").forEach((figure) => {
    const rows = rowsOf(figure), readout = figure.querySelector(".readout");
    if (!rows.length || !readout) return;
    const one = reading.at === null ? null : nearest(rows, reading.at);
    figure.querySelectorAll("svg.chart").forEach((svg) => {
      let cursor = svg.querySelector(".cursor");
      if (!cursor) {
        cursor = document.createElementNS("http://www.w3.org/2000/svg", "line");
        cursor.setAttribute("class", "cursor");
        svg.append(cursor);
      }
      const { begin, end, left, right, top, bottom } = svg.dataset;
      const share = one ? (one.at - begin) / (end - begin) : -1;
      cursor.setAttribute("visibility", share >= 0 && share <= 1 ? "visible" : "hidden");
      const x = Number(left) + share * (right - left);
      Object.entries({ x1: x, x2: x, y1: top, y2: bottom }).forEach(([name, value]) => cursor.setAttribute(name, value));
    });
    readout.replaceChildren();
    if (!one) return;
    const cells = [...one.row.children].map((cell) => cell.textContent);
    readout.append(`${cells[0]} s: `);
    cells.slice(1).forEach((value, index) => {
      const bold = document.createElement("b");
      bold.textContent = value;
      readout.append(`${index ? " · " : ""}${figure.names[index]} `, bold);
    });
  });
}
function moment(svg, event) {
  const box = svg.getBoundingClientRect(), { begin, end, left, right } = svg.dataset;
  const x = ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
  return Number(begin) + ((x - left) / (right - left)) * (end - begin);
}
function step(figure, key) {
  const rows = rowsOf(figure);
  const index = reading.at === null ? -1 : rows.indexOf(nearest(rows, reading.at));
  const next = { ArrowLeft: index < 0 ? rows.length - 1 : index - 1, ArrowRight: index + 1, Home: 0, End: rows.length - 1 }[key];
  return next === undefined ? undefined : rows[Math.min(rows.length - 1, Math.max(0, next))].at;
}
/// Makes the charts within an element readable.
function makeReadable(parent) {
  parent.querySelectorAll("figure.chart-figure").forEach((figure) => {
    if (!rowsOf(figure).length) return;
    // Only where somebody moves a chart's own cursor is it said aloud.
    figure.querySelectorAll("svg.chart").forEach((svg) => {
      svg.setAttribute("tabindex", "0");
      const point = (event) => { reading.at = moment(svg, event); readOut(); };
      svg.addEventListener("pointerdown", point);
      svg.addEventListener("pointermove", point);
      svg.addEventListener("pointerleave", (event) => {
        if (event.pointerType === "touch") return;
        reading.at = null;
        readOut();
      });
      svg.addEventListener("focus", () => figure.querySelector(".readout")?.setAttribute("aria-live", "polite"));
      svg.addEventListener("blur", () => figure.querySelector(".readout")?.removeAttribute("aria-live"));
      svg.addEventListener("keydown", (event) => {
        const at = event.key === "Escape" ? null : step(figure, event.key);
        if (at === undefined) return;
        event.preventDefault();
        reading.at = at;
        readOut();
      });
    });
  });
}
makeReadable(document);
