// A keyboard in the page: the system's own would lie beneath a kiosk's window.
import { current, onReset, setting, words } from "./here.js";

// As on the keys that people know; the second four rows come with shift.
const KEDMANEE = [
  ["ๅ/-ภถุึคตจขช", "ๆไำพะัีรนยบลฃ", "ฟหกดเ้่าสวง", "ผปแอิืทมใฝ"],
  ["+๑๒๓๔ู฿๕๖๗๘๙", '๐"ฎฑธํ๊ณฯญฐ,ฅ', "ฤฆฏโฌ็๋ษศซ.", "()ฉฮฺ์?ฒฬฦ"],
];
const QWERTY = ["qwertyuiop", "asdfghjkl", "zxcvbnm"];
const DIGITS = ["12345", "67890-"];
// For panels too narrow for those: what is written most comes first, then each page from ก to ฮ.
const THAI = "กขคงจชดตทนบปพมยรลวสหอาัเีะิแโไุูำืึใ่้ซถธผฟภศญณฉฝฮ็์ษฐฎฏฆฑฒฌฬฤ๊๋ๆฃฅ";
const LATIN = "abcdefghijklmnopqrstuvwxyz";
const MARK = /\p{M}/u;
const KEY_MM = 15;

const COMMANDS = {
  erase: ["keyErase", '<svg class="ic" viewBox="0 0 64 64" aria-hidden="true"><use href="#erase"/></svg>'],
  shift: ["keyShift", '<svg class="ic" viewBox="0 0 64 64" aria-hidden="true"><use href="#up"/></svg>'],
  space: ["keySpace", '<svg class="ic" viewBox="0 0 64 64" aria-hidden="true"><path d="M12 32v12h40V32"/></svg>'],
  digits: ["keyDigits", "123"],
  letters: ["keyLetters", ""],
  more: ["keyMore", ""],
  script: ["", ""],
};

const rooms = new Map(); // For how many keys, by screen and setting.

let box;
let input;
let state;
// A field that is no longer shown still has in it what was written.
onReset(() => (box = input = undefined));

// Put the keys into `here`; what they write goes into `field`.
export function keyboard(here, field) {
  const same = box === here;
  box = here;
  input = field;
  if (state?.language !== current().language) forget();
  const { columns, high } = room();
  if (same && state.columns === columns && state.high === high) return;
  Object.assign(state, { columns, high });
  draw();
}

export function forget() {
  const { language } = current();
  state = { language, thai: language === "th", shift: false, digits: false, page: 0 };
}

export function press({ dataset: { key, command } }) {
  if (command === "erase") erase();
  else if (command) turn(command);
  else write(key);
}

function write(text) {
  input.setRangeText(text, input.selectionStart, input.selectionEnd, "end");
  if (state.shift) turn("shift");
  input.dispatchEvent(new Event("input"));
}

function erase() {
  const from = input.selectionStart === input.selectionEnd ? input.selectionStart - 1 : input.selectionStart;
  if (from < 0) return;
  input.setRangeText("", from, input.selectionEnd, "end");
  input.dispatchEvent(new Event("input"));
}

function turn(command) {
  if (command === "space") return write(" ");
  if (command === "shift") state.shift = !state.shift;
  else if (command === "more") state.page += 1;
  else if (command === "script") Object.assign(state, { thai: !state.thai, shift: false, page: 0 });
  else state.digits = command === "digits";
  draw();
  box.querySelector(`[data-command=${command === "digits" ? "letters" : command === "letters" ? "digits" : command}]`)?.focus();
}

function room() {
  const key = current().screen + setting();
  if (!rooms.has(key)) {
    const style = getComputedStyle(box);
    const mm = parseFloat(style.getPropertyValue("--mm"));
    rooms.set(key, {
      columns: Math.floor((box.clientWidth + 1) / (KEY_MM * mm)),
      high: Number(style.getPropertyValue("--rows")) || 4,
    });
  }
  return rooms.get(key);
}

// Rows of keys: letters stand for themselves, arrays name commands.
function rows() {
  const { columns, high } = state;
  if (state.digits && high < 3) return flow("1234567890-", columns, high, "letters");
  if (state.digits) return [...DIGITS.map((row) => [...row]), [["letters"], ["space"], ["erase"]]];
  if (state.thai) return columns > 12 && high > 3 ? kedmanee() : flow(THAI, columns, high);
  if (columns < 10 || high < 3) return flow(LATIN, columns, high);
  const [top, middle, low] = QWERTY.map((row) => [...row]);
  if (high < 4) return [top, [...middle, ["erase"]], [["script"], ...low, ["space"], ["digits"]]];
  return [top, middle, ["-", ...low, ["erase"]], [["script"], ["digits"], ["space"]]];
}

function kedmanee() {
  const [top, second, home, low] = KEDMANEE[state.shift ? 1 : 0].map((row) => [...row]);
  return [
    [...top, ["erase"]],
    second,
    [...home, ["space"]],
    [["shift"], ...low, ["digits"], ["script"]],
  ];
}

// Letters in the order of the alphabet, in pages where one does not hold them all.
function flow(letters, columns, high, other = "digits") {
  const commands = [["script"], [other], ["space"], ["erase"]];
  const all = [...letters];
  let held = columns * high - commands.length;
  if (all.length > held) {
    commands.unshift(["more"]);
    held -= 1;
  }
  const pages = Math.ceil(all.length / held);
  state.pages = pages;
  const from = (state.page % pages) * held;
  const keys = all.slice(from, from + held).sort();
  while (keys.length < held && pages > 1) keys.push("");
  const cells = [...keys, ...commands];
  return Array.from({ length: Math.ceil(cells.length / columns) }, (_, i) =>
    cells.slice(i * columns, (i + 1) * columns),
  );
}

function draw() {
  const made = rows();
  const most = Math.max(...made.map((row) => row.length));
  box.style.setProperty("--columns", most);
  box.innerHTML = made.map((row) => `<div>${row.map(button).join("")}</div>`).join("");
}

function button(key) {
  if (key === "") return "<i></i>";
  if (typeof key === "string") {
    const face = MARK.test(key) ? `\u25cc${key}` : key.replace(/["<&]/, (c) => `&#${c.charCodeAt()};`);
    return `<button data-act="key" data-key="${face.replace("\u25cc", "")}" lang="${state.thai ? "th" : "en"}">${face}</button>`;
  }
  const [command] = key;
  const w = words();
  let [name, face] = COMMANDS[command];
  let label = w[name];
  if (command === "script") [label, face] = state.thai ? [w.keyLatin, "ABC"] : [w.keyThai, "กขค"];
  if (command === "letters") face = state.thai ? "กขค" : "abc";
  if (command === "more") face = `${(state.page % state.pages) + 1}/${state.pages}`;
  const pressed = command === "shift" ? ` aria-pressed="${state.shift}"` : "";
  return `<button class="${command}" data-act="key" data-command="${command}" aria-label="${label}"${pressed}>${face}</button>`;
}
