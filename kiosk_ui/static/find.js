// What a query may mean: the index is read once and looked through in the page.
const RANKS = [1, 0.94, 0.8]; // A name, what else it is called, what it belongs to.
const ENOUGH = 3; // So many good answers, and misspellings are not looked for.
const GOOD = 60;
const SCORE_MIN = 24;
const FOUND_MAX = 30;
const QUERY_MAX = 80; // Letters of a query that are looked at.
const FLAT_MAX = QUERY_MAX + 2;

let segmenter = null; // Its dictionary takes longer to read than the first screen to paint.
const segments = (text) => {
  segmenter ??= new Intl.Segmenter("th", { granularity: "word" });
  return [...segmenter.segment(text)];
};
const HAN = /\p{Script=Han}/u;
const LATIN = /^[\p{Script=Latin}\p{N}]+$/u;

// The same as search_fold.py, which has folded the index.
export function fold(text, simple) {
  return [
    ...text
      .normalize("NFKD")
      .replace(/[\u0300-\u036f]/g, "")
      .normalize("NFC")
      .toLowerCase()
      .replace(/[\u0e47-\u0e4c\u0e4e]/g, "")
      .replaceAll("เเ", "แ")
      .replaceAll("\u0e4dา", "ำ")
      .replaceAll("\u0e4d", ""),
  ]
    .map((letter) => simple.get(letter) ?? letter)
    .join("")
    .replace(/[^\p{L}\p{N}\p{M}]+/gu, " ")
    .trim();
}

// One spelling for what sounds alike: kh and k, oo and u, doubled letters, zh and z.
const sound = (flat) =>
  flat
    .replace(/([bdgkptczs])h/g, "$1")
    .replace(/ck|q/g, "k")
    .replace(/j/g, "c")
    .replace(/v/g, "w")
    .replace(/oo|ou|ue/g, "u")
    .replace(/ee|ea/g, "i")
    .replace(/ae/g, "e")
    .replace(/([a-z])\1+/g, "$1");

// Which letters there are, as bits: a cheap "cannot be" before letters are compared.
function bits(text) {
  let found = 0;
  for (let i = 0; i < text.length; i += 1) found |= 1 << (text.charCodeAt(i) & 31);
  return found;
}

function count(word) {
  let found = 0;
  for (let rest = word; rest; rest &= rest - 1) found += 1;
  return found;
}

function term(text, weight) {
  const flat = text.replaceAll(" ", "");
  const heard = sound(flat);
  // From so many letters on, the term may stand within a query that has no spaces.
  const least = LATIN.test(flat) || weight < RANKS[1] ? Infinity : HAN.test(flat) ? 2 : 3;
  return { text, flat, weight, heard, bits: bits(heard), flatBits: bits(flat), least };
}

export function prepare({ search, searchStop, searchSimple }) {
  const [from, to] = searchSimple.map((letters) => [...letters]);
  return {
    simple: new Map(from.map((letter, i) => [letter, to[i]])),
    stop: new Set(searchStop.split("|").map((word) => word.replaceAll(" ", ""))),
    targets: search.map(([go, icon, title, note, ...said]) => ({
      shown: { go, icon, title, note },
      terms: RANKS.flatMap((weight, i) =>
        said[i] ? said[i].split("|").map((text) => term(text, weight)) : [],
      ),
      text: term(said[3], 1),
    })),
  };
}

// Where words begin after the first; asked for only where something was found.
function starts(one) {
  if (!one.starts) {
    one.starts = [];
    let at = 0;
    for (const { segment } of segments(one.text)) {
      const length = segment.trim().length;
      if (at && length) one.starts.push(at);
      at += length;
    }
  }
  return one.starts;
}

function exact(one, { flat }) {
  if (one.flat === flat) return 100;
  if (one.flat.startsWith(flat)) return 88 - Math.min(12, one.flat.length - flat.length);
  if (!one.flat.includes(flat)) return 0;
  if (starts(one).some((at) => one.flat.startsWith(flat, at))) return 72;
  return flat.length > 2 || HAN.test(flat) ? 46 : 0;
}

function loose(one, { flat, heard, slips, flatSlips, bits: said, flatBits }) {
  if (one.heard === heard) return 86;
  if (heard.length > 2 && one.heard.startsWith(heard)) return 74;
  if (!flatSlips || one.flat.length + flatSlips < flat.length) return 0;
  const near = slips && count(said & ~one.bits) <= slips;
  let [whole, begin] = near ? edits(heard, one.heard, slips) : NEVER;
  // A slip may also have made a sound that nobody meant.
  if (flat !== heard && count(flatBits & ~one.flatBits) <= flatSlips) {
    const plain = edits(flat, one.flat, flatSlips);
    [whole, begin] = [Math.min(whole, plain[0]), Math.min(begin, plain[1])];
  }
  // A letter is left out more often than typed too much.
  if (whole <= flatSlips) return 80 - 12 * whole - 3 * (one.flat.length < flat.length);
  if (begin <= flatSlips) return 64 - 12 * begin;
  if (!near || !one.text.includes(" ")) return 0;
  one.tails ??= one.text.split(" ").slice(1).map(sound);
  const later = Math.min(...one.tails.map((tail) => edits(heard, tail, slips)[1]));
  return later <= slips ? 58 - 12 * later : 0;
}

const NEVER = [Infinity, Infinity];
const ROWS = [0, 1, 2].map(() => new Uint8Array(FLAT_MAX + 1));

// Letters to change, add, drop or swap: to the whole of b, and to what b begins with.
function edits(a, b, slips) {
  const length = Math.min(b.length, a.length + slips);
  let [before, last, row] = ROWS;
  let least = 0;
  for (let j = 0; j <= length; j += 1) row[j] = j;
  for (let i = 1; i <= a.length; i += 1) {
    [before, last, row] = [last, row, before];
    row[0] = i;
    const nearest = least;
    least = i;
    for (let j = 1; j <= length; j += 1) {
      let cost = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] !== b[j - 1]));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, before[j - 2] + 1);
      }
      row[j] = cost;
      if (cost < least) least = cost;
    }
    // Two rows that are too far lead nowhere nearer.
    if (Math.min(least, nearest) > slips) return NEVER;
  }
  return [length === b.length ? row[length] : Infinity, least];
}

const pattern = (text) => {
  const flat = text.slice(0, QUERY_MAX);
  const heard = sound(flat);
  const [slips, flatSlips] = [heard, flat].map(({ length }) => (length < 4 ? 0 : length < 8 ? 1 : 2));
  return { flat, heard, bits: bits(heard), flatBits: bits(flat), slips, flatSlips };
};

function strict({ terms, text }, one) {
  let best = 0;
  for (const each of terms) best = Math.max(best, exact(each, one) * each.weight);
  // What is said of a thing counts less than any of its names.
  return best || (one.flat.length > 1 ? exact(text, one) * 0.4 : 0);
}

const slack = ({ terms }, one) =>
  terms.reduce((best, each) => Math.max(best, loose(each, one) * each.weight), 0);

// Names within a query that knows no spaces: "where is the …" needs no grammar.
function within({ terms }, { flat }) {
  let best = 0;
  for (const each of terms) {
    if (each.flat.length < each.least || !flat.includes(each.flat)) continue;
    best = Math.max(best, (56 + (36 * each.flat.length) / flat.length) * each.weight);
  }
  return best;
}

// Strictly at first; with slips where that gives too little.
function rate(targets, one) {
  const scores = targets.map((target) => strict(target, one));
  if (scores.filter((score) => score >= GOOD).length >= ENOUGH) return scores;
  return scores.map((score, i) => (score >= GOOD ? score : Math.max(score, slack(targets[i], one))));
}

// Each word of the query for itself; the rarer a word is, the more it says.
function together(targets, said) {
  const rated = said.map((word) => rate(targets, pattern(word)));
  const weights = rated.map((scores) => {
    const hits = scores.filter((score) => score > 40).length;
    return hits && Math.log(1 + targets.length / hits);
  });
  const sum = weights.reduce((a, b) => a + b, 0) || 1;
  return targets.map(
    (_, i) => rated.reduce((score, scores, word) => score + scores[i] * weights[word], 0) / sum,
  );
}

// The best targets for a query, the best first.
export function find({ targets, stop, simple }, query) {
  const flat = fold(query, simple).replaceAll(" ", "");
  if (!flat) return [];
  const said = segments(query)
    .map(({ segment }) => fold(segment, simple).replaceAll(" ", ""))
    .filter((word) => word && !stop.has(word));
  const kept = said.join("");
  const all = pattern(flat);
  const rated = [rate(targets, all), targets.map((target) => within(target, all))];
  if (kept && kept !== flat) rated.push(rate(targets, pattern(kept)));
  if (said.length > 1) rated.push(together(targets, said).map((score) => score * 0.94));
  return targets
    .map(({ shown }, i) => ({ ...shown, score: Math.max(...rated.map((scores) => scores[i])) }))
    .filter(({ score }) => score >= SCORE_MIN)
    .sort((a, b) => b.score - a.score)
    .slice(0, FOUND_MAX);
}
