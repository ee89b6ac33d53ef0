// What the screen shows now, and the bundles it shows it from.
export const bundles = {};

let faces = 0; // How often letters have come.
let shown = { language: "", screen: "attract", page: 0 };

export const current = () => shown;
export const words = () => bundles[shown.language].words;
export const extras = () => bundles[shown.language].extras;

// What the room for things depends on, beside the screen that they are on.
export function setting() {
  const { text, reach } = document.documentElement.dataset;
  return [shown.language, text, reach, innerWidth, innerHeight, faces].join();
}

// A face that comes late, as the Chinese one does, takes other room than what stood in for it.
document.fonts.addEventListener("loadingdone", () => {
  faces += 1;
  dispatchEvent(new Event("resize"));
});

export function go(place) {
  shown = place;
}

export async function load(language, url) {
  const answer = await fetch(url);
  bundles[language] = await answer.json();
}

// What a family of screens does beside standing there: modules say it here, the router calls it.
export const showing = new Map(); // First part of a screen's name -> called after it is shown.
export const acting = new Map(); // data-act -> called when such an element is tapped.
export const resetting = []; // Called when the person has gone: forget everything of them.

export const always = []; // Called after any screen is shown.

export const onShow = (family, call) => showing.set(family, call);
export const onAction = (name, call) => acting.set(name, call);
export const onEvery = (call) => always.push(call);
export const onReset = (call) => resetting.push(call);
