// Keeps a page right while it is open: asks whether anything changed, and fetches the parts that
// did. Nothing is replaced that has the focus, a cursor above it or an open form; it waits for "show".
"use strict";

(() => {
  const bar = document.getElementById("live");
  if (!bar) return;

  const ASK_EVERY = 5000; // milliseconds
  const FETCH_AFTER = 60000; // ages such as "3m ago" grow old by themselves
  const pause = bar.querySelector("[data-live-pause]");
  const show = bar.querySelector("[data-live-show]");
  const word = bar.querySelector("[data-live-word]");
  const written = new Map(); // by id, what the server wrote: the page itself shows local times
  const waiting = new Map(); // by id, parts that changed and are not shown yet
  let known = null;
  let fetchedAt = 0;
  let paused = false;

  const parts = (root) => [...root.querySelectorAll("[data-live]")].filter((part) => part.id);
  parts(document).forEach((part) => written.set(part.id, part.innerHTML));
  const keysOf = (part) => [...part.querySelectorAll("[data-row]")].map((row) => row.dataset.row);

  function isInUse(part) {
    if (part.querySelector("input:checked")) return true;
    return part.matches(":hover") || part.contains(document.activeElement) || hasSelection(part);
  }

  function hasSelection(part) {
    const selection = window.getSelection();
    return selection.type === "Range" && selection.containsNode(part, true);
  }

  function newRows(here, there) {
    const before = new Set(keysOf(here));
    return keysOf(there).filter((key) => !before.has(key)).length;
  }

  function replace(here, there) {
    const open = new Set([...here.querySelectorAll("details[open]")].map((one) => one.id));
    const part = document.importNode(there, true);
    part.querySelectorAll("details").forEach((one) => (one.open = open.has(one.id)));
    here.replaceWith(part);
    window.meshlineLocalTimes(part);
  }

  function take(fetched) {
    for (const there of parts(fetched)) {
      const here = document.getElementById(there.id);
      const html = there.innerHTML;
      if (!here || written.get(there.id) === html) continue;
      const isClock = bar.contains(here); // when the page was read is always told
      if (!isClock && (isInUse(here) || ("rows" in here.dataset && newRows(here, there)))) {
        waiting.set(there.id, there);
      } else {
        written.set(there.id, html);
        waiting.delete(there.id);
        replace(here, there);
      }
    }
    offer();
  }

  function offer() {
    let rows = 0;
    for (const [id, there] of waiting) rows += newRows(document.getElementById(id), there);
    show.hidden = waiting.size === 0;
    show.textContent = rows ? `${rows} new: show` : "changed: show";
  }

  function showAll() {
    const focused = document.activeElement;
    for (const [id, there] of waiting) {
      written.set(id, there.innerHTML);
      replace(document.getElementById(id), there);
    }
    waiting.clear();
    offer();
    if (focused === show) pause.focus(); // the button that had the focus is gone
  }

  function say(text) {
    if (word.textContent !== text) word.textContent = text;
  }

  class Ended extends Error {} // the session, so the login is asked for

  function sayEnded() {
    if (word.querySelector("a")) return;
    const link = document.createElement("a");
    const { pathname, search } = window.location;
    link.href = `/login?next=${encodeURIComponent(pathname + search)}`;
    link.textContent = "Log in again";
    word.replaceChildren("not up to date: your session has ended. ", link);
  }

  async function get(address) {
    // A session that nobody uses ends, also where a page of it is left open.
    const headers = { Accept: "text/html", "X-Meshline-By-Itself": "1" };
    const answer = await fetch(address, { cache: "no-store", headers });
    if (answer.redirected && new URL(answer.url).pathname === "/login") throw new Ended();
    if (!answer.ok) throw new Error(String(answer.status));
    return answer;
  }

  async function look() {
    const { revision } = await (await get(bar.dataset.liveFrom)).json();
    if (revision === known && Date.now() - fetchedAt < FETCH_AFTER) return;
    const text = await (await get(window.location.href)).text();
    const fetched = new DOMParser().parseFromString(text, "text/html");
    if (!fetched.getElementById("live")) throw new Error("another page"); // such as a login
    known = revision;
    fetchedAt = Date.now();
    take(fetched);
  }

  async function ask() {
    if (!paused && !document.hidden) {
      try {
        await look();
        say("");
      } catch (error) {
        if (error instanceof Ended) sayEnded();
        else say("not up to date: Flower or the store does not answer; it is asked again");
      }
    }
    window.setTimeout(ask, ASK_EVERY);
  }

  pause.addEventListener("click", () => {
    paused = !paused;
    pause.textContent = paused ? "Go on" : "Pause";
    say(paused ? "updates are paused" : "");
  });
  show.addEventListener("click", showAll);
  pause.hidden = false;
  window.setTimeout(ask, ASK_EVERY);
})();
