// Tell the city: what a person chose stays in this module until it is sent or they have gone.
import { current, onAction, onEvery, onReset, onShow, words } from "./here.js";
import { keyboard } from "./keyboard.js";
import { tokenOf } from "./pin.js";
import { ask } from "./post.js";
import { show, turnPages } from "./router.js";
import { count } from "./usage.js";
import { fill } from "./words.js";

const AGAIN_MS = 5_000;
const UNSENT_MAX = 3;
const OWN_MAX = 12; // Letters of one's own words that the button shows.

let draft = {};
let read = null; // The entry that was read last: what is wrong is most likely there.
let unsent = [];
let outcome = { state: "sending" };
let again = 0;

const one = (name) => document.querySelector(`#screen ${name}`);

onShow("tell", (_screen, { screen: name }) => {
  const [, part] = name.split("/");
  if (part === "words") write();
  else if (part === "done") say();
  else if (!part) mark();
});

function mark() {
  for (const button of document.querySelectorAll(".tell [data-value]")) {
    const { act, value } = button.dataset;
    button.setAttribute("aria-pressed", draft[act] === value);
  }
  one("[data-act=send]").disabled = !draft.reason && !draft.face;
  const own = draft.text?.trim();
  if (own) one("[data-own]").textContent = own.length > OWN_MAX ? `${own.slice(0, OWN_MAX)}…` : own;
  const about = subject();
  one("[data-name]").textContent = about ? about.name : "";
}

// What "wrong info" is about, and says so on the screen.
const subject = () => (draft.reason === "wrong_info" ? draft.about ?? read : null);

function write() {
  const field = one("textarea");
  field.value = draft.text ?? "";
  const left = () => {
    draft.text = field.value;
    one("[data-left]").textContent = `${field.value.length}/${field.maxLength}`;
  };
  field.addEventListener("input", left);
  left();
  keyboard(one(".keys"), field);
}

for (const name of ["reason", "face"]) {
  onAction(name, ({ dataset: { value } }) => {
    draft[name] = draft[name] === value ? undefined : value;
    mark();
  });
}
onAction("write", () => show({ screen: "tell/words" }));
onAction("afresh", () => show({ screen: "tell" }));
onAction("send", () => {
  const { reason, face, text } = draft;
  const entry = subject()?.entry;
  const key = crypto.randomUUID();
  const { language } = current();
  const body = { key, reason, face, text, language, entry, token: entry && tokenOf(entry) };
  if (face) count(`face_${face}`);
  unsent = [...unsent, body].slice(-UNSENT_MAX);
  draft = {};
  outcome = { state: "sending" };
  show({ screen: "tell/done" });
  deliver();
});

// The same key each time: what the service has stored already is not stored again.
async function deliver() {
  clearTimeout(again);
  const [first] = unsent;
  if (!first) return;
  const said = await ask("/api/tell", first);
  if (unsent[0] !== first) return; // The person has gone, or another try was faster.
  if (said?.status === 200) outcome = { state: said.kept === "card" ? "done" : "memory", ...said };
  else if (said?.status === 429) outcome = { state: "busy", minutes: Math.ceil(said.wait_s / 60) };
  else if (said && said.status < 500) outcome = { state: "refused" };
  else outcome = { state: "lost" };
  if (outcome.state === "busy" || outcome.state === "lost") again = setTimeout(deliver, AGAIN_MS);
  else {
    unsent.shift();
    deliver();
  }
  say();
}

function say() {
  if (!one(".outcome")) return;
  for (const part of document.querySelectorAll(".outcome [data-state]")) {
    part.hidden = !part.dataset.state.split(" ").includes(outcome.state);
  }
  one("[data-ticket]").textContent = outcome.ticket ?? "";
  one("[data-wait]").textContent = fill(words().tellBusy, outcome.minutes);
  turnPages();
}

onEvery((section, { screen: name }) => {
  if (/^(entry|stall)\//.test(name)) read = { entry: name, name: section.querySelector("h1").textContent };
});
// "Wrong info" may begin at the thing that is wrong.
document.addEventListener(
  "click",
  ({ target }) => {
    const about = target.closest?.("[data-about]")?.dataset;
    if (about) draft = { reason: "wrong_info", about: { entry: about.about, name: about.name } };
  },
  { capture: true },
);
onReset(() => {
  clearTimeout(again);
  draft = {};
  read = null;
  unsent = [];
  outcome = { state: "sending" };
});
