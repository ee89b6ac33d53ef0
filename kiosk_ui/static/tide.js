// The tide curve: 24 hours as one line, with the present moment across it.
import { time } from "./words.js";

const WIDTH = 720;
const HEIGHT = 220;
const MARGIN = 18;
const MARK_MS = 6 * 3_600_000;
const ZONE_MS = 7 * 3_600_000; // Thailand has no summer time.

export function drawTide(svg, tide, nowMs) {
  const panel = svg.closest("article");
  const hours = panel.querySelector("[data-hours]");
  panel.classList.toggle("empty", !tide || nowMs === null);
  if (!tide || nowMs === null) return;
  const { from_ms: fromMs, step_s: stepS, heights_m: heights } = tide.curve;
  const spanMs = (heights.length - 1) * stepS * 1000;
  const x = (ms) => ((ms - fromMs) / spanMs) * WIDTH;
  const low = Math.min(...heights);
  const scale = (HEIGHT - 2 * MARGIN) / Math.max(Math.max(...heights) - low, 0.5);
  const y = (m) => HEIGHT - MARGIN - (m - low) * scale;

  const points = heights.map((m, i) => `${x(fromMs + i * stepS * 1000).toFixed(1)} ${y(m).toFixed(1)}`);
  const line = `M${points.join("L")}`;
  draw(svg, ".line", line);
  draw(svg, ".fill", `${line}V${HEIGHT}H0Z`);
  // The line and the drop are where the height is that stands beside them.
  draw(svg, ".nowline", `M${x(nowMs).toFixed(1)} 0V${HEIGHT}`);
  const drop = panel.querySelector("[data-nowdot]").style;
  drop.left = `${((x(nowMs) / WIDTH) * 100).toFixed(2)}%`;
  drop.top = `${((y(tide.height_m) / HEIGHT) * 100).toFixed(2)}%`;
  if (hours.dataset.from === String(fromMs)) return;
  hours.dataset.from = fromMs;
  const marks = [];
  const firstMs = Math.ceil((fromMs + ZONE_MS) / MARK_MS) * MARK_MS - ZONE_MS;
  for (let ms = firstMs; ms <= fromMs + spanMs; ms += MARK_MS) {
    const share = (ms - fromMs) / spanMs;
    if (share < 0.08 || share > 0.92) continue; // Half a label is up to 7 % of the width.
    const mark = document.createElement("span");
    mark.textContent = time(ms);
    mark.style.left = `${share * 100}%`;
    marks.push(mark);
  }
  hours.replaceChildren(...marks);
}

function draw(svg, name, path) {
  const element = svg.querySelector(name);
  if (element.getAttribute("d") !== path) element.setAttribute("d", path);
}
