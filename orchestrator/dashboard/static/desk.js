// Our pages work without this. With it: times in the viewer's zone, and keyboard shortcuts.
"use strict";

(() => {
  const twoDigits = (number) => String(number).padStart(2, "0");

  // --- times: the server writes UTC; beside it goes the viewer's own zone ---

  function dayOf(when) {
    return `${when.getFullYear()}-${twoDigits(when.getMonth() + 1)}-${twoDigits(when.getDate())}`;
  }

  function clockOf(when) {
    return [when.getHours(), when.getMinutes(), when.getSeconds()].map(twoDigits).join(":");
  }

  function zoneOf(when) {
    const parts = new Intl.DateTimeFormat("en-GB", { timeZoneName: "short" }).formatToParts(when);
    return parts.find((part) => part.type === "timeZoneName").value;
  }

  function addLocalTime(element) {
    const when = new Date(element.dateTime);
    if (element.dataset.utc || Number.isNaN(when.getTime()) || !when.getTimezoneOffset()) return;
    const utc = element.textContent;
    element.dataset.utc = utc;
    const sameDay = utc.startsWith(dayOf(when));
    const beside = document.createElement("span");
    beside.className = "desk-utc";
    beside.textContent = ` (${sameDay ? utc.slice(11) : utc})`;
    element.textContent = `${dayOf(when)} ${clockOf(when)} ${zoneOf(when)}`;
    element.append(beside);
  }

  function addLocalTimes(root) {
    root.querySelectorAll("time[datetime]").forEach(addLocalTime);
  }

  // --- keyboard shortcuts; whoever is disturbed by them turns them off ---

  const list = document.getElementById("shortcuts");
  const SETTING = "meshline-shortcuts";
  let leader = 0; // until when a `g` waits for its second key, in milliseconds

  function remembered(name) {
    try {
      return window.localStorage.getItem(name);
    } catch {
      return null; // a browser may refuse to remember
    }
  }

  function remember(name, value) {
    try {
      window.localStorage.setItem(name, value);
    } catch {
      // it holds until the page is left
    }
  }

  function isTyping(target) {
    return target.isContentEditable || /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName);
  }

  function moveRow(step) {
    const rows = [...document.querySelectorAll("main [data-row]")]
      .map((row) => row.querySelector("a[href]"))
      .filter((link) => link && link.offsetParent);
    if (!rows.length) return;
    const here = document.activeElement && document.activeElement.closest("[data-row]");
    const at = rows.findIndex((link) => here && here.contains(link));
    const next = at < 0 ? (step > 0 ? 0 : rows.length - 1) : at + step;
    rows[Math.min(Math.max(next, 0), rows.length - 1)].focus();
  }

  function search() {
    const field = document.querySelector("main [role=search] input:not([type=hidden])");
    if (field) field.focus();
    else list.querySelector("[data-search]").click();
  }

  function goTo(key) {
    const link = [...list.querySelectorAll("[data-go]")].find((one) => one.dataset.go === key);
    if (link) window.location.assign(link.href);
    return Boolean(link);
  }

  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (list.open || isTyping(event.target) || remembered(SETTING) === "off") return;
    const leads = event.timeStamp < leader;
    leader = 0;
    if (leads && goTo(event.key)) return;
    if (event.key === "g") leader = event.timeStamp + 2000;
    else if (event.key === "?") list.showModal();
    else if (event.key === "j") moveRow(1);
    else if (event.key === "k") moveRow(-1);
    else if (event.key === "/") search();
    else return;
    event.preventDefault();
  }

  function listenToKeys() {
    const button = document.getElementById("shortcuts-open");
    const setting = document.getElementById("shortcuts-on");
    if (!list || !button) return;
    button.hidden = false;
    button.addEventListener("click", () => list.showModal());
    setting.checked = remembered(SETTING) !== "off";
    setting.addEventListener("change", () => remember(SETTING, setting.checked ? "on" : "off"));
    document.addEventListener("keydown", onKey);
  }

  // --- begin ---

  window.meshlineLocalTimes = addLocalTimes; // live.js fetches parts of the page anew
  addLocalTimes(document);
  listenToKeys();
  const asked = window.location.hash && document.getElementById(window.location.hash.slice(1));
  if (asked && asked.tagName === "INPUT") asked.focus();
})();
