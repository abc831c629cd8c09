// The body of a function that Gradio calls with: element, trigger, props, server, upload, watch.
// Views come from Python whole (see View in page.py), so one that was skipped does no harm.
"use strict";

element.innerHTML = props.shell;
const root = element.querySelector(".mureum");
const $ = (selector, within = root) => within.querySelector(selector);
const $$ = (selector, within = root) => [...within.querySelectorAll(selector)];
const box = $("textarea");
const scroller = $(".scroll");
const wide = window.matchMedia("(min-width: 960px)");
const FINAL = new Set(["answered", "quoted", "not_found", "failed", "stopped", "refused"]);
const HANGUL = /[\uac00-\ud7a3\u1100-\u11ff\u3131-\u318e]/;

const turns = new Map(); // ask → { number, ask, question, phase, node, evidence, seen }
let running = null; // the turn that is being answered
let active = null; // the turn whose evidence the panel shows
let next = 0; // number of the next turn
let first = 0; // number of the first turn since the conversation was cleared
let opener = null; // what the source was opened from: focus goes back there

// --- language

function language() {
  return document.documentElement.lang === "ko" ? "ko" : "en";
}

function localise(within) {
  const now = language();
  const each = (attribute, apply) => {
    for (const node of $$(`[data-${attribute}-${now}]`, within)) apply(node, node.getAttribute(`data-${attribute}-${now}`));
  };
  each("aria", (node, text) => node.setAttribute("aria-label", text));
  each("placeholder", (node, text) => { node.placeholder = text; });
}

function speak(chosen, keep) {
  document.documentElement.lang = chosen;
  if (keep) remember(localStorage, "mureum.language", chosen);
  for (const button of $$("[data-language]")) button.setAttribute("aria-pressed", String(button.dataset.language === chosen));
  localise(root);
}

function remember(store, key, value) {
  try { store.setItem(key, value); } catch (error) { /* storage is off: nothing is kept */ }
}

function recall(store, key) {
  try { return store.getItem(key); } catch (error) { return null; }
}

function firstLanguage() {
  const kept = recall(localStorage, "mureum.language");
  if (kept === "ko" || kept === "en") return kept;
  return String(navigator.language || "en").toLowerCase().startsWith("ko") ? "ko" : "en";
}

// --- drawing

function template(name) {
  return $(`template[data-name="${name}"]`).innerHTML;
}

function draw(node, markup) {
  if (node.drawn === markup) return;
  node.drawn = markup;
  node.innerHTML = markup;
  localise(node);
}

function hint(markup) {
  draw($(".hint"), markup);
}

// A wide window follows the end of the answer; in a narrow one, where the evidence comes below it, the question goes to
// the top and stays there.
function atBottom() {
  return wide.matches && scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 120;
}

function toBottom() {
  scroller.scrollTop = scroller.scrollHeight;
}

function toTop(node) {
  root.style.setProperty("--view", `${scroller.clientHeight}px`);
  scroller.scrollTop += node.getBoundingClientRect().top - scroller.getBoundingClientRect().top;
}

function place() {
  for (const turn of turns.values()) (wide.matches ? $(".evidences") : $(".slot", turn.node)).append(turn.evidence);
  if (!wide.matches) root.classList.toggle("reading", !$(".source").hidden);
}

function activate(turn) {
  active = turn;
  for (const other of turns.values()) {
    other.evidence.classList.toggle("active", other === turn);
    other.node.classList.toggle("active", other === turn);
  }
  root.classList.toggle("many", turns.size > 1);
  $(".side .empty").hidden = Boolean(turn);
}

function show(turn, view) {
  const follow = atBottom();
  turn.phase = view.phase;
  turn.node.dataset.phase = view.phase;
  draw($(".status", turn.node), view.status);
  if (view.body || FINAL.has(view.phase)) draw($(".body", turn.node), view.body);
  $(".body", turn.node).lang = view.lang;
  turn.node.setAttribute("aria-busy", String(!FINAL.has(view.phase)));
  if (view.evidence) draw(turn.evidence, view.evidence);
  if (FINAL.has(view.phase)) settle(turn);
  if (follow) toBottom();
}

function settle(turn) {
  if (running === turn) running = null;
  remember(sessionStorage, "mureum.draft", box.value);
  controls();
}

function controls() {
  root.classList.toggle("running", Boolean(running));
  root.classList.toggle("started", turns.size > 0);
  $(".retry").disabled = Boolean(running) || turns.size === 0;
  $(".clear").disabled = turns.size === 0;
}

// --- asking

function ask(question, replaced = null) {
  const number = replaced ? replaced.number : next++;
  if (replaced) forget(replaced);
  const turn = { number, question, ask: `${Date.now().toString(36)}${Math.random().toString(36).slice(2)}`, seen: false };
  turn.node = document.createElement("div");
  turn.node.innerHTML = template("turn");
  turn.node = turn.node.firstElementChild;
  turn.evidence = document.createElement("div");
  turn.evidence.className = "evidence";
  const said = $(".question", turn.node);
  said.textContent = question;
  said.lang = HANGUL.test(question) ? "ko" : "en";
  $(".turns").append(turn.node);
  turns.set(turn.ask, turn);
  running = turn;
  hint("");
  closeSource(false);
  place();
  activate(turn);
  localise(turn.node);
  show(turn, { phase: "searching", status: template("searching"), body: "", evidence: template("evidence"), lang: said.lang });
  controls();
  if (wide.matches) toBottom(); else toTop(turn.node);
  remember(sessionStorage, "mureum.draft", box.value || question); // until it is settled, a reload gives it back
  trigger("ask", { ask: turn.ask, question, turn: number, first });
}

function forget(turn) {
  turns.delete(turn.ask);
  turn.node.remove();
  turn.evidence.remove();
  if (active === turn) activate([...turns.values()].at(-1) || null);
}

function send() {
  const question = box.value;
  if (running) return hint(template("busy"));
  if (!question.trim()) return hint(template("empty"));
  write("");
  box.focus();
  ask(question);
}

function stop() {
  if (!running) return;
  trigger("stop", { ask: running.ask });
  const turn = running;
  show(turn, { phase: "stopped", status: template("stopped"), body: $(".body", turn.node).drawn || "", evidence: "", lang: $(".body", turn.node).lang });
  box.focus();
}

function retry() {
  const last = [...turns.values()].at(-1);
  if (last && !running) ask(last.question, last);
  box.focus();
}

function clear() {
  stop();
  for (const turn of [...turns.values()]) forget(turn);
  first = next;
  hint("");
  closeSource(false);
  activate(null);
  controls();
  box.focus();
}

function receive(view) {
  const turn = view && turns.get(view.ask);
  if (!turn) return;
  turn.seen = true;
  turn.missed = 0;
  if (FINAL.has(turn.phase)) return;
  if (view.phase !== "refused") return show(turn, view);
  settle(turn);
  forget(turn);
  controls();
  if (!box.value) write(turn.question);
  hint(view.body);
}

function lost(turn) {
  show(turn, { phase: "failed", status: template("failed"), body: template("lost"), evidence: "", lang: language() });
  if (!box.value) write(turn.question);
}

// A server that is gone, or that was started anew in between, will never finish this turn: notice that.
async function watchOver() {
  const turn = running;
  if (!turn) return;
  let alive = false;
  try {
    alive = await Promise.race([server.alive(turn.ask), new Promise((_, no) => setTimeout(no, 8000))]) || !turn.seen;
  } catch (error) { /* not reached */ }
  turn.missed = alive ? 0 : (turn.missed || 0) + 1;
  if (turn.missed >= 2 && running === turn) lost(turn);
}

// --- the box

function write(text) {
  box.value = text;
  grow();
  remember(sessionStorage, "mureum.draft", text);
}

function grow() {
  box.style.height = "auto";
  box.style.height = `${Math.min(box.scrollHeight, window.innerHeight * 0.4)}px`;
  box.style.overflowY = box.scrollHeight > window.innerHeight * 0.4 ? "auto" : "hidden";
}

// One press of Enter sends once, also while an input method composes. Hangul has no candidate window, so Enter there
// means 'send', after the last syllable has landed; elsewhere (Japanese, Chinese) it picks a candidate. Browsers tell
// of it in either order: keydown (229, composing) then compositionend, or compositionend then keydown (229).
const composed = { now: false, text: "", ended: -1, armed: false };
let spent = false; // this press has sent already: what else comes of it (a second keydown, a line break) is dropped

function enter(event) {
  if (event.key !== "Enter" && event.keyCode !== 13 && event.code !== "Enter" && event.code !== "NumpadEnter") return;
  if (event.shiftKey) return;
  const hangul = composed.text !== "" && [...composed.text].every((letter) => HANGUL.test(letter));
  if (event.isComposing || composed.now) {
    if (hangul && !spent) {
      event.preventDefault();
      composed.armed = true;
      setTimeout(() => { if (composed.armed) commit(); }, 150);
    }
    return;
  }
  const picked = event.keyCode === 229 || event.timeStamp - composed.ended < 10;
  if (picked && !hangul) return;
  event.preventDefault();
  if (!spent && !event.repeat) sendOnce();
}

function sendOnce() {
  spent = true;
  composed.armed = false;
  setTimeout(send);
}

// An input method that keeps composing after Enter is made to end.
function commit() {
  box.blur();
  box.focus();
}

box.addEventListener("compositionstart", () => Object.assign(composed, { now: true, text: "", armed: false }));
box.addEventListener("compositionupdate", (event) => { composed.text = event.data || ""; });
box.addEventListener("compositionend", (event) => {
  Object.assign(composed, { now: false, text: event.data || composed.text, ended: event.timeStamp });
  if (composed.armed && [...composed.text].every((letter) => HANGUL.test(letter))) sendOnce();
  composed.armed = false;
});
box.addEventListener("keydown", enter);
box.addEventListener("keyup", (event) => { if (event.key === "Enter" || event.code === "Enter") spent = false; });
box.addEventListener("blur", () => { spent = false; });
box.addEventListener("beforeinput", (event) => {
  if (spent && (event.inputType === "insertLineBreak" || event.inputType === "insertParagraph")) event.preventDefault();
});
box.addEventListener("input", () => {
  grow();
  hint("");
  remember(sessionStorage, "mureum.draft", box.value);
});

// --- evidence and source

function turnOf(node) {
  return [...turns.values()].find((turn) => turn.node.contains(node) || turn.evidence.contains(node));
}

function cardOf(mark) {
  const turn = turnOf(mark);
  return turn && $(`.card[data-marker="${mark.dataset.marker}"]`, turn.evidence);
}

async function openSource(card, from) {
  const turn = turnOf(card);
  const { document: name, start, end } = card.dataset;
  const others = $$(".card[data-marker]", turn.evidence)
    .filter((other) => other.dataset.document === name)
    .map((other) => [Number(other.dataset.start), Number(other.dataset.end)]);
  if (!$(".source").hidden) opener = opener || from; else opener = from;
  activate(turn);
  $(".source-name").textContent = name;
  draw($(".source-text"), template("opening"));
  $(".source").hidden = false;
  root.classList.add("reading");
  $(".source").focus({ preventScroll: true });
  let markup = null;
  try {
    markup = await server.source({ document: name, start: Number(start), end: Number(end), others });
  } catch (error) { /* not reached */ }
  draw($(".source-text"), markup === null ? template("lost") : markup || template("gone"));
  const chosen = $("mark.chosen");
  if (chosen) chosen.scrollIntoView({ block: "center" });
}

function closeSource(refocus = true) {
  if ($(".source").hidden) return;
  $(".source").hidden = true;
  root.classList.remove("reading");
  if (refocus && opener && opener.isConnected) opener.focus();
  opener = null;
}

function light(node, on) {
  const mark = node.closest?.(".mark, .card[data-marker]");
  const turn = mark && turnOf(mark);
  if (!turn) return;
  for (const twin of [...$$(`[data-marker="${mark.dataset.marker}"]`, turn.node), ...$$(`[data-marker="${mark.dataset.marker}"]`, turn.evidence)])
    twin.classList.toggle("lit", on);
}

root.addEventListener("click", (event) => {
  const target = event.target;
  const mark = target.closest(".mark");
  const card = mark ? cardOf(mark) : target.closest(".card");
  if (card && (mark || target.closest(".open") || !String(window.getSelection()))) return openSource(card, mark || $(".open", card));
  const turn = turnOf(target);
  if (turn && target.closest(".turn")) return activate(turn), target.closest(".show-evidence") && closeSource(false);
  const example = target.closest(".example");
  if (example && !running) return ask(example.dataset[language()]), wide.matches && box.focus();
  if (target.closest(".close")) return closeSource();
  if (target.closest(".retry")) return retry();
  if (target.closest(".clear")) return clear();
  const chosen = target.closest("[data-language]");
  if (chosen) speak(chosen.dataset.language, true);
});
for (const [kind, on] of [["mouseover", true], ["mouseout", false], ["focusin", true], ["focusout", false]])
  root.addEventListener(kind, (event) => light(event.target, on));
root.addEventListener("keydown", (event) => { if (event.key === "Escape") closeSource(); });
$(".composer").addEventListener("submit", (event) => {
  event.preventDefault();
  if (running) stop(); else send();
});
wide.addEventListener("change", place);
watch("value", () => receive(props.value));
setInterval(watchOver, 4000);

speak(firstLanguage(), false);
write(recall(sessionStorage, "mureum.draft") || "");
controls();
root.dataset.ready = "true";
if (wide.matches) box.focus();
