// The map: two plans that are moved by transforms alone; pins that crowd become one with a number.
import { onAction, onReset, onShow, words } from "./here.js";

const ZOOMS = { market: [1, 1.7, 3], area: [1, 2.2, 4.8] };
const APART = 1.17; // Between two pins, in pins: a target and a gap.
const EDGE_MM = 8; // A chosen pin is at least so far from the edge.
const DRAG_MM = 3; // A finger that has moved so far does not tap.
const PAN = 0.5; // Of the view, for one tap of an arrow.
const CLOSEST = 1.5; // The first look goes no closer to a few places than so much of the plan.
const LIST_MAX = 3;

let view = null;
let plans = {};
let moving = null;
let at = {}; // Which plan, zoom and middle; what is chosen.
let panel = {}; // Of the view: its width and height, and how far apart two pins have to be.

const px = (mm) => mm * parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--mm"));
const shown = () => plans[at.plan];

onReset(() => (at = {}));

onShow("map", (screen) => {
  view = screen.querySelector(".mapview");
  plans = {};
  for (const element of view.querySelectorAll(".plan")) {
    const [x, y, width, height] = element.dataset.box.split(" ").map(Number);
    const things = [...element.querySelectorAll("[data-x]")].map((one) => ({
      one,
      x: Number(one.dataset.x) - x,
      y: Number(one.dataset.y) - y,
    }));
    plans[element.dataset.plan] = {
      element,
      art: element.querySelector(".art"),
      width,
      height,
      marks: things.filter(({ one }) => one.localName !== "button"),
      pins: things.filter(({ one }) => one.localName === "button"),
      you: things.find(({ one }) => one.className === "you"),
      doubts: [...element.querySelectorAll(".m-about")],
    };
    Object.assign(plans[element.dataset.plan], middle(plans[element.dataset.plan]));
  }
  view.onpointerdown = take;
  view.onpointermove = drag;
  view.onpointerup = view.onpointercancel = () => setTimeout(() => (moving = null));
  view.addEventListener("click", letGo, { capture: true });
  const known = at.plan;
  at.plan ??= view.dataset.first;
  measure();
  if (known) draw();
  else choose(at.plan);
});

addEventListener("resize", () => {
  if (!view?.isConnected) return;
  measure();
  draw();
});

// Looked at once: each look between two changes costs a layout of the whole page.
function measure() {
  const plan = shown();
  for (const each of Object.values(plans)) each.element.hidden = each !== plan;
  plan.pins[0].one.hidden = false;
  const apart = plan.pins[0].one.offsetWidth * APART;
  panel = { width: view.clientWidth, height: view.clientHeight, apart };
}

onAction("plan", (button) => choose(button.dataset.plan));
onAction("zoom", (button) => zoom(Number(button.dataset.by)));
onAction("pan", (button) => {
  const [dx, dy] = button.dataset.pan.split(" ").map(Number);
  at.x += (dx * PAN * panel.width) / scale();
  at.y += (dy * PAN * panel.height) / scale();
  move();
});
onAction("kind", (button) => {
  const { kind, otherwise } = button.dataset;
  at.kind = at.kind === kind ? "" : kind;
  at.card = null;
  const none = at.kind && !Object.values(plans).some(({ pins }) => pins.some(wanted));
  if (none) at.card = { name: words().mapNone, go: otherwise, act: words().mapList };
  else if (at.kind && !shown().pins.some(wanted)) return choose("area");
  draw();
});
onAction("pin", (button) => {
  pick(shown().pins.find(({ one }) => one === button));
});
onAction("pins", (button) => {
  const group = shown().groups[button.dataset.group];
  if (at.zoom < ZOOMS[at.plan].length - 1) {
    at.x = group[0].x;
    at.y = group[0].y;
    return zoom(1);
  }
  at.card = { group, from: 0 };
  draw();
});
onAction("more", () => {
  at.card.from = (at.card.from + LIST_MAX) % at.card.group.length;
  card();
});
// The next place by its way over the plan, for whoever does not reach up to its pin.
onAction("step", (button) => {
  const { pins } = shown();
  const row = pins.filter(wanted).sort((a, b) => a.x + a.y - b.x - b.y);
  if (!row.length) return;
  const by = Number(button.dataset.step);
  const now = row.findIndex(({ one }) => one.dataset.id === at.card?.id);
  const next = now < 0 && by < 0 ? row.at(-1) : row[(now + by + row.length) % row.length];
  pick(next);
});
onAction("unpin", () => {
  at.card = null;
  draw();
});

function pick(pin) {
  const { dataset } = pin.one;
  at.card = { ...dataset, go: `entry/${dataset.id}`, act: words().mapDetails };
  reveal(pin);
  draw();
}

function choose(name) {
  const { kind = "" } = at;
  const plan = plans[name];
  // A plan that is much taller than the view would begin with crowds alone.
  const begin = plan.height / plan.width > (1.9 * panel.height) / panel.width;
  const zoomed = name === "area" && begin;
  const { x, y } = (zoomed && plan.you) || plan;
  at = { plan: name, kind, card: null, zoom: zoomed ? 1 : 0, x, y };
  draw();
}

// The middle of all that is to be seen, and how much room it takes.
function middle({ pins, you }) {
  const all = [...pins, ...(you ? [you] : [])];
  const span = (axis) => {
    const found = all.map((one) => one[axis]);
    return [Math.min(...found), Math.max(...found)];
  };
  const [[left, right], [top, bottom]] = [span("x"), span("y")];
  return { x: (left + right) / 2, y: (top + bottom) / 2, across: right - left, down: bottom - top };
}

function zoom(by) {
  at.zoom = Math.min(Math.max(at.zoom + by, 0), ZOOMS[at.plan].length - 1);
  draw();
}

// Pixels for a metre.
function scale() {
  const { width, height, across, down } = shown();
  const whole = Math.min(panel.width / width, panel.height / height);
  // As close as all places fit, with room for the pins and a name beside them.
  const [w, h] = [panel.width - panel.apart * 3.4, panel.height - panel.apart * 2.6];
  const near = Math.min(w / Math.max(across, 1), h / Math.max(down, 1), whole * CLOSEST);
  return Math.max(whole, near) * ZOOMS[at.plan][at.zoom];
}

const wanted = ({ one }) => !at.kind || one.dataset.kinds.split(" ").includes(at.kind);

// What zoom, plan and choice change. Moving about calls only move().
function draw() {
  const plan = shown();
  const k = scale();
  for (const each of Object.values(plans)) each.element.hidden = each !== plan;
  plan.art.style.width = `${plan.width * k}px`;
  plan.art.style.height = `${plan.height * k}px`;
  for (const { one, x, y } of [...plan.marks, ...plan.pins]) {
    one.style.transform = `translate(${x * k}px,${y * k}px)`;
  }
  group(plan, k);
  for (const button of view.parentElement.querySelectorAll("[data-plan],[data-kind]")) {
    if (button.localName !== "button") continue;
    const on = button.dataset.plan === at.plan || (at.kind && button.dataset.kind === at.kind);
    button.setAttribute("aria-pressed", Boolean(on));
  }
  card();
  move();
}

// The nearest pin of a crowd stays, with the number of all of them.
function group(plan, k) {
  const { apart } = panel;
  for (const old of plan.element.querySelectorAll(".many,.tag")) old.remove();
  plan.groups = [];
  for (const circle of plan.doubts) {
    circle.classList.toggle("on", circle.dataset.of === at.card?.id);
  }
  for (const pin of plan.pins) {
    pin.one.hidden = true;
    pin.one.classList.toggle("chosen", pin.one.dataset.id === at.card?.id);
    if (!wanted(pin)) continue;
    const near = plan.groups.find(
      ([first]) => Math.abs(first.x - pin.x) * k < apart && Math.abs(first.y - pin.y) * k < apart,
    );
    if (near) near.push(pin);
    else plan.groups.push([pin]);
  }
  const taken = plan.groups.map(([{ one, x, y }]) => around(x * k, y * k - rise(one, apart), apart * 0.36));
  plan.groups.forEach((pins, number) => {
    const [pin] = pins;
    const many = pins.length > 1;
    pin.one.hidden = many;
    if (!many) return;
    const one = crowd(pins, number);
    one.classList.toggle("chosen", pins.some((each) => each.one.dataset.id === at.card?.id));
    plan.element.append(one);
  });
  name(plan, k, taken);
}

// Where there is room for it, a name beside each pin that stands alone.
function name(plan, k, taken) {
  const away = panel.apart * 0.36;
  const room = at.zoom === 0 ? roomOf(plan, k) : null;
  const north = view.querySelector(".north");
  if (room) {
    const [left, top] = [room.left + north.offsetLeft, room.top];
    taken.push({ left, top, right: room.right, bottom: top + north.offsetTop + north.offsetHeight });
  }
  const lone = plan.groups.filter((pins) => pins.length === 1).map(([pin]) => pin);
  const tags = lone.map((pin) => tag(pin.one.dataset.name));
  plan.element.append(...tags);
  const walks = plan.marks.filter(({ one }) => one.className === "walk");
  const here = plan.you?.one.querySelector("span");
  // All are measured before any is moved.
  const sizes = [...(here ? [here] : []), ...tags].map((one) => [one.offsetWidth, one.offsetHeight]);
  const heights = walks.map(({ one }) => one.offsetHeight);

  if (here) put(here, sizes.shift(), plan.you.x * k, plan.you.y * k, away, taken, room, true);
  walks.forEach(({ one, x, y }, number) => {
    one.style.visibility = claim(taken, around(x * k, y * k, heights[number])) ? "" : "hidden";
  });
  lone.forEach((pin, number) => {
    const y = pin.y * k - rise(pin.one, panel.apart);
    if (!put(tags[number], sizes[number], pin.x * k, y, away, taken, room)) tags[number].remove();
  });
}

function tag(text) {
  const made = document.createElement("span");
  made.className = "tag";
  made.textContent = text;
  return made;
}

function crowd(pins, number) {
  const button = document.createElement("button");
  button.className = "pin many";
  button.dataset.act = "pins";
  button.dataset.group = number;
  button.textContent = pins.length;
  button.setAttribute("aria-label", pins.map(({ one }) => one.dataset.name).join(", "));
  button.style.transform = pins[0].one.style.transform;
  return button;
}

// Beside, below or above a point, whichever is free first; false where nothing is.
function put(one, [width, height], x, y, away, taken, room, must = false) {
  const spots = [
    [x + away, y - height / 2],
    [x - away - width, y - height / 2],
    [x - width / 2, y + away * 1.25],
    [x - width / 2, y - away * 1.25 - height],
  ];
  const boxes = spots.map(([left, top]) => ({ left, top, right: left + width, bottom: top + height }));
  const free = (box) => (!room || within(box, room)) && !taken.some((other) => overlap(box, other));
  const seen = (one) => !room || within(one, room);
  const box = boxes.find(free) ?? (must && (boxes.find(seen) ?? boxes[1]));
  if (!box) return false;
  taken.push(box);
  const [fromX, fromY] = must ? [x, y] : [0, 0]; // What is a part of its mark moves with it.
  one.style.transform = `translate(${box.left - fromX}px,${box.top - fromY}px)`;
  return true;
}

// A pin stands above its place; one that is only roughly known lies on it.
const rise = (one, apart) => (one.classList.contains("rough") ? 0 : apart * 0.43);
const around = (x, y, half) => ({ left: x - half, right: x + half, top: y - half, bottom: y + half });
const within = (a, b) => a.left > b.left && a.right < b.right && a.top > b.top && a.bottom < b.bottom;

function claim(taken, box) {
  if (taken.some((other) => overlap(box, other))) return false;
  taken.push(box);
  return true;
}

// What one sees of a plan that is shown as a whole.
function roomOf(plan, k) {
  const [x, y] = [at.x * k, at.y * k];
  const [w, h] = [panel.width / 2, panel.height / 2];
  return { left: x - w, right: x + w, top: y - h, bottom: y + h };
}

const overlap = (a, b) =>
  a.left < b.right - 4 && a.right > b.left + 4 && a.top < b.bottom && a.bottom > b.top;

// A pin that the card would cover is moved to where one sees it.
function reveal({ x, y }) {
  const k = scale();
  const left = (x - at.x) * k + panel.width / 2;
  const top = (y - at.y) * k + panel.height / 2;
  const edge = px(EDGE_MM);
  if (left < edge || left > panel.width - edge) at.x = x;
  if (top < edge * 2 || top > panel.height * 0.5) at.y = y + (panel.height * 0.1) / k;
}

function card() {
  const aside = view.parentElement.querySelector(".mapcard");
  aside.hidden = !at.card;
  if (!at.card) return aside.replaceChildren();
  const { group: pins, from, name, way, go, act } = at.card;
  const w = words();
  const button = (text, set, className) => {
    const made = document.createElement("button");
    made.textContent = text;
    made.className = className ?? "";
    Object.assign(made.dataset, set);
    return made;
  };
  const close = button("", { act: "unpin" }, "close");
  close.setAttribute("aria-label", w.mapClose);
  close.innerHTML = '<svg class="ic" viewBox="0 0 64 64" aria-hidden="true"><use href="#close"/></svg>';
  if (pins) {
    const listed = pins
      .slice(from, from + LIST_MAX)
      .map(({ one }) => button(one.dataset.name, { go: `entry/${one.dataset.id}` }, "row1"));
    const more = pins.length > LIST_MAX ? [button(w.mapMore, { act: "more" })] : [];
    return aside.replaceChildren(...listed, ...more, close);
  }
  const told = document.createElement("p");
  told.innerHTML = "<b></b><small></small>";
  told.firstChild.textContent = name;
  told.lastChild.textContent = way ?? "";
  const steps = [...view.parentElement.querySelectorAll(".maprail .step")].map((one) => one.cloneNode(true));
  aside.replaceChildren(told, ...(way === undefined ? [] : steps), button(act, { go }, "main"), close);
}

// The plan under the view: a transform, and nothing that costs a layout.
function move() {
  const { element, width, height } = shown();
  at.x = Math.min(Math.max(at.x, 0), width);
  at.y = Math.min(Math.max(at.y, 0), height);
  const k = scale();
  const left = Math.round(panel.width / 2 - at.x * k);
  const top = Math.round(panel.height / 2 - at.y * k);
  element.style.transform = `translate(${left}px,${top}px)`;
  for (const button of view.parentElement.querySelectorAll(".maprail button")) {
    const { act, by, pan } = button.dataset;
    if (act === "step") continue;
    if (by) button.disabled = !ZOOMS[at.plan][at.zoom + Number(by)];
    else {
      const [dx, dy] = pan.split(" ").map(Number);
      button.disabled = (dx ? at.x : at.y) === (dx + dy < 0 ? 0 : dx ? width : height);
    }
  }
}

function take(event) {
  if (event.isPrimary) moving = { x: event.clientX, y: event.clientY, far: false, ...from() };
}

const from = () => ({ atX: at.x, atY: at.y });

function drag(event) {
  if (!moving || !event.isPrimary) return;
  const [dx, dy] = [event.clientX - moving.x, event.clientY - moving.y];
  moving.far ||= Math.hypot(dx, dy) > px(DRAG_MM);
  if (!moving.far) return;
  at.x = moving.atX - dx / scale();
  at.y = moving.atY - dy / scale();
  move();
}

// The end of a drag is no tap; a tap beside everything closes the card.
function letGo(event) {
  if (moving?.far) {
    event.stopPropagation();
    moving = null;
  } else if (at.card && !event.target.closest("button,aside")) {
    at.card = null;
    draw();
  }
}
