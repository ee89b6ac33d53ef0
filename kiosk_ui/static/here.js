// What the screen shows now, and the bundles it shows it from.
export const bundles = {};

let shown = { language: "", screen: "attract", page: 0 };

export const current = () => shown;
export const words = () => bundles[shown.language].words;

export function go(place) {
  shown = place;
}

export async function load(language, url) {
  const answer = await fetch(url);
  bundles[language] = await answer.json();
}
