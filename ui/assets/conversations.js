// --- the kept conversations

async function listConversations() {
  try {
    const { html, notice } = await call("conversations");
    draw($(".conversations"), html);
    draw($(".notice"), notice);
  } catch (error) {
    draw($(".conversations"), `<p class="error" role="alert">${error.markup}</p>`);
  }
  markOpen();
}

function markOpen() {
  for (const item of $$(".item[data-conversation]")) {
    const open = item.dataset.conversation === conversation;
    $(".item-open", item).toggleAttribute("aria-current", open);
    if (open) $(".item-open", item).setAttribute("aria-current", "true");
  }
}

// An empty page for a new conversation; what is running is stopped and stays in its own.
function begin(id = randomId()) {
  stop();
  for (const turn of [...turns.values()]) forget(turn);
  conversation = id;
  remember(sessionStorage, "mureum.conversation", conversation);
  hint("");
  closeSource(false);
  activate(null);
  controls();
  markOpen();
}

let conversationsAsked = 0; // of two that were asked for quickly, the later one is shown

// `choose`: go on with what the conversation's last question was asked of.
async function openConversation(id, choose = true) {
  const asked = ++conversationsAsked;
  const { turns: kept } = await call("open", { conversation: id });
  if (asked !== conversationsAsked) return;
  begin(id);
  for (const one of kept) {
    const turn = add(one.question, one.collection, one.documents);
    Object.assign(turn, { number: one.view.number, verdict: one.verdict, comment: one.comment, seen: true });
    show(turn, one.view);
  }
  const last = [...turns.values()].at(-1) || null;
  activate(last);
  if (choose && last) chooseCollection(last.collection, last.documents);
  controls();
  scroller.scrollTop = wide.matches ? scroller.scrollHeight : 0;
}

async function actOn(item, act) {
  const { conversation: id, title } = item.dataset;
  if (act === "rename") {
    const chosen = await confirmed("rename", title, title);
    if (chosen !== null) await call("rename", { conversation: id, title: chosen });
  } else if (act === "delete") {
    if (!await confirmed("delete", title)) return;
    await call("delete", { conversation: id });
    if (id === conversation) begin();
  } else {
    const format = act === "export_json" ? "json" : "markdown";
    return download(title, await call("export", { conversation: id, format, language: language() }));
  }
  await listConversations();
}

// The file is made here, from what was sent: nothing on the server's disk has an address.
function download(title, file) {
  const link = document.createElement("a");
  const ending = file.name.slice(file.name.lastIndexOf("."));
  link.href = URL.createObjectURL(new Blob([file.text], { type: file.type }));
  link.download = (title.replace(/[^\p{L}\p{N} ._-]+/gu, " ").trim().slice(0, 60) || "mureum") + ending;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

function closeMenus(except = null) {
  for (const menu of $$("details.menu[open]")) if (menu !== except) menu.open = false;
}

$(".conversations").addEventListener("click", async (event) => {
  const item = event.target.closest(".item");
  if (!item) return;
  const act = event.target.closest("[data-act]");
  try {
    if (act) {
      const summary = $("summary", item);
      closeMenus();
      await actOn(item, act.dataset.act);
      (summary.isConnected ? summary : $(`.item[data-conversation="${item.dataset.conversation}"] summary`) || $(".new")).focus();
    } else if (event.target.closest(".item-open")) {
      await openConversation(item.dataset.conversation);
      leaveRail();
      if (docked.matches) box.focus();
    }
  } catch (error) {
    hint(error.markup);
  }
});
