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
