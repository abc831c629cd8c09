// --- what a press means, and the beginning

root.addEventListener("click", (event) => {
  const target = event.target;
  closeMenus(target.closest("details.menu"));
  const mark = target.closest(".mark");
  const card = mark ? cardOf(mark) : target.closest(".card");
  if (card && (mark || target.closest(".open") || !String(window.getSelection()))) return openCard(card, mark || $(".open", card));
  const turn = turnOf(target);
  if (turn && target.closest(".turn")) return activate(turn), target.closest(".show-evidence") && closeSource(false);
  const example = target.closest(".example");
  if (example && !running) return ask(example.dataset[language()]), wide.matches && box.focus();
  if (target.closest(".close")) return closeSource();
  const steps = target.closest("[data-step]");
  if (steps) return step(Number(steps.dataset.step), steps);
  if (target.closest(".retry")) return retry();
  if (target.closest(".new")) return begin(), leaveRail(), box.focus();
  if (target.closest(".menu-button")) return $(".menu-button").getAttribute("aria-expanded") === "true" ? closeRail() : openRail();
  if (target.closest(".close-rail, .backdrop")) return closeRail();
  if (target.closest(".where")) return openRail("documents"), $("[name=mureum-collection]:checked").focus();
  const tab = target.closest("[role=tab]");
  if (tab) return choosePanel(tab.dataset.panel);
  const chosen = target.closest("[data-language]");
  if (chosen) speak(chosen.dataset.language, true);
});
for (const [kind, on] of [["mouseover", true], ["mouseout", false], ["focusin", true], ["focusout", false]])
  root.addEventListener(kind, (event) => light(event.target, on));
root.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || dialog.open) return;
  const menu = $("details.menu[open]");
  if (menu) return menu.open = false, $("summary", menu).focus();
  if (root.classList.contains("rail-open")) return closeRail();
  closeSource();
});
$(".composer").addEventListener("submit", (event) => {
  event.preventDefault();
  if (running) stop(); else send();
});
wide.addEventListener("change", place);
printing.addEventListener("change", place);
docked.addEventListener("change", fitRail);
watch("value", () => receive(props.value));
setInterval(watchOver, 4000);
setInterval(tick, 1000);

// The conversation that was open before a reload, then the page can be used.
async function start() {
  const kept = recall(sessionStorage, "mureum.conversation");
  const documents = chooseCollection(recall(localStorage, "mureum.collection") === "own" ? "own" : "shared");
  try {
    if (kept) await openConversation(kept, false);
  } catch (error) {
    hint(error.markup);
  }
  root.dataset.ready = "true";
  performance.mark("mureum-ready");
  if (wide.matches) box.focus();
  await Promise.all([listConversations(), documents]);
}

speak(firstLanguage(), false);
write(recall(sessionStorage, "mureum.draft") || "");
choosePanel("conversations");
fitRail();
controls();
start();
