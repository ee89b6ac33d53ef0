// Spoken aloud: the pack's recording, else a voice of the browser, else nothing, honestly.
import { bundles, current, onAction, onEvery, onReset, words } from "./here.js";

let sound = null;
globalThis.speechSynthesis?.getVoices(); // Asked for now, they are here when somebody wants them.

const voice = (language) => {
  const tag = bundles[language]?.html_language.split("-")[0];
  return globalThis.speechSynthesis?.getVoices().find((one) => one.lang.split(/[-_]/)[0] === tag);
};
const recording = () => document.querySelector("#screen [data-audio]")?.dataset.audio;

export const canSpeak = (language) => Boolean(voice(language) || recording());

export function hush() {
  globalThis.speechSynthesis?.cancel();
  sound?.pause();
  sound = null;
}

export function say(text, url) {
  hush();
  if (url) {
    sound = new Audio(url);
    sound.play().catch(hush); // A recording that cannot be played is silence, not an error.
    return;
  }
  const { language } = current();
  if (!voice(language)) return;
  const spoken = new SpeechSynthesisUtterance(text);
  spoken.voice = voice(language);
  spoken.lang = spoken.voice.lang;
  speechSynthesis.speak(spoken);
}

// What a person would read aloud: the headings and what is marked for it.
export function saySection(section) {
  const parts = section.querySelectorAll("h1,[data-say],.tile b,.card b,dt,dd");
  say([...parts].map((one) => one.innerText.trim()).filter(Boolean).join(". "), recording());
}

onAction("listen", (button) => saySection(button.closest("section")));
onEvery((section) => {
  hush();
  for (const button of section.querySelectorAll("[data-act=listen]")) {
    button.hidden = !canSpeak(current().language);
  }
  if (document.documentElement.dataset.listen) saySection(section);
});
onReset(hush);

// A person at the keys hears what Enter would do; the screen that a tap opens speaks by itself.
addEventListener("focusin", ({ target }) => {
  if (!document.documentElement.dataset.listen || !target.matches("button:focus-visible")) return;
  say(target.ariaLabel || target.innerText);
});

export const sayStill = (seconds) => {
  if (document.documentElement.dataset.listen) say(words().stillThere.replace("{n}", seconds));
};
