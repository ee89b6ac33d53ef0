// Easier for you: larger text, more contrast, everything within reach, spoken, unhurried.
// All of it is an attribute of the page, and goes when the person goes.
import { current, onAction, onReset, onShow } from "./here.js";
import { canSpeak, hush, saySection } from "./listen.js";
import { show, turnPages } from "./router.js";

const root = document.documentElement;
const ON = { contrast: "high", reach: "low", listen: "on", slow: "on" };

onAction("text", (button) => set("text", button.dataset.value));
onAction("mode", (button) => turn(button.dataset.value));
onShow("access", mark);
onReset(() => {
  for (const name of ["text", ...Object.keys(ON)]) delete root.dataset[name];
});

// A push button beside the screen, wired as the key Help: whoever cannot see finds it by touch.
addEventListener("keydown", ({ key, repeat }) => {
  if (key !== "Help" || repeat) return;
  turn("listen");
  if (current().screen === "attract") show({ screen: "home" });
  else if (root.dataset.listen) saySection(document.querySelector("#screen section"));
});

const turn = (name) => set(name, root.dataset[name] ? "" : ON[name]);

function set(name, value) {
  if (value && value !== "a") root.dataset[name] = value;
  else delete root.dataset[name];
  if (name === "listen" && !value) hush();
  mark();
  turnPages();
}

function mark() {
  const speaks = canSpeak(current().language);
  for (const button of document.querySelectorAll("#screen [data-act=text],#screen [data-act=mode]")) {
    const { act, value } = button.dataset;
    const on = act === "text" ? (root.dataset.text ?? "a") === value : Boolean(root.dataset[value]);
    button.setAttribute("aria-pressed", on);
    for (const word of button.querySelectorAll("[data-when]")) {
      word.hidden = (word.dataset.when === "on") !== on;
    }
    if (value !== "listen") continue;
    button.disabled = !speaks;
    for (const word of button.querySelectorAll("[data-when]")) word.hidden ||= !speaks;
    button.querySelector("[data-mute]").hidden = speaks;
  }
}
