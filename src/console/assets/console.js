/* Porchlight console. Makes pages live; everything also works without it.
   It never resolves, sends or claims by itself, and never moves the selection, the focus or the scroll position. */
(() => {
  "use strict";
  const body = document.body;
  const $ = (id) => document.getElementById(id);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  // -- Time: the domain clock may run faster than the machine's ------------------------------------------------
  const clock = { base: Number(body.dataset.now), speed: Number(body.dataset.speed), at: performance.now() };
  const now = () => clock.base + (performance.now() - clock.at) * clock.speed;
  const setClock = (ms, speed) => Object.assign(clock, { base: Number(ms), speed: Number(speed), at: performance.now() });

  const formats = new Map();
  const format = (zone, withDate) => {
    const key = zone + withDate;
    if (!formats.has(key)) {
      const time = { timeZone: zone, hour: "numeric", minute: "2-digit", hourCycle: "h23" };
      const date = { weekday: "short", day: "numeric", month: "short" };
      formats.set(key, new Intl.DateTimeFormat("en-GB", withDate ? { ...date, ...time } : time));
    }
    return formats.get(key);
  };
  const clockWords = (zone, withDate, ms = now()) => {
    const part = Object.fromEntries(format(zone, withDate).formatToParts(ms).map((p) => [p.type, p.value]));
    const time = `${Number(part.hour)}:${part.minute}`;
    return withDate ? `${part.weekday} ${part.day} ${part.month}, ${time}` : time;
  };

  const put = (node, text) => { if (node && node.textContent !== text) node.textContent = text; };
  const SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE;

  // The same rules as the server's: never more time than there is.
  const tickFace = (data) => {
    const left = Number(data.due) - now();
    if (left <= 0) {
      const late = -left;
      const bold = late < MINUTE ? "Due now" : late < HOUR ? `${Math.floor(late / MINUTE)} min late`
        : late < 48 * HOUR ? `${Math.floor(late / HOUR)} h late` : `${Math.floor(late / (24 * HOUR))} days late`;
      return { kind: "tick-late", bold, rest: "", late: true };
    }
    const soon = left * 3 <= Number(data.due) - Number(data.opened);
    const kind = "alarm" in data ? "tick-now" : soon ? "tick-soon" : "";
    if (left < 10 * MINUTE) {
      const seconds = String(Math.floor(left % MINUTE / SECOND)).padStart(2, "0");
      return { kind, bold: `${Math.floor(left / MINUTE)}:${seconds}`, rest: data.duty };
    }
    if (left <= HOUR) return { kind, bold: `${Math.floor(left / MINUTE)} min`, rest: data.duty };
    return { kind, bold: data.day, rest: data.by };
  };
  const repaint = () => {
    for (const tick of all("[data-due]")) {
      const face = tickFace(tick.dataset);
      const name = face.kind ? `tick ${face.kind}` : "tick";
      if (tick.className !== name) tick.className = name;
      tick.querySelector("svg").toggleAttribute("hidden", !face.late);
      put(tick.querySelector("b"), face.bold);
      put(tick.querySelector("span"), face.rest);
    }
    for (const time of all("[data-clock]")) put(time, clockWords(time.dataset.clock, "date" in time.dataset));
  };
  // Minutes change rarely: under ten minutes, and on a fast clock, once a second; else once a minute is enough.
  let painted = 0;
  setInterval(() => {
    const close = clock.speed > 1 || all("[data-due]").some((t) => Math.abs(Number(t.dataset.due) - now()) < 10 * MINUTE);
    if (close || performance.now() - painted >= MINUTE) { painted = performance.now(); repaint(); }
  }, SECOND);

  // -- Small words -----------------------------------------------------------------------------------------------
  const say = (text) => {
    const toast = document.createElement("div");
    toast.className = "toast";
    toast.tabIndex = 0;
    toast.textContent = text;
    $("say").replaceChildren(toast);
    fade(toast);
  };
  const fade = (toast) => {
    const end = () => { if (toast.matches(":hover, :focus-within")) setTimeout(end, 2000); else toast.remove(); };
    setTimeout(end, 8000);
  };

  // An emergency is announced once, and only when it is new.
  const remembered = () => { try { return JSON.parse(sessionStorage.getItem("told")); } catch { return null; } };
  const announce = () => {
    const list = $("alarms");
    if (!list) return;
    const items = all("li", list);
    const told = remembered();
    const fresh = told ? items.filter((item) => !told.includes(item.dataset.id)) : [];
    sessionStorage.setItem("told", JSON.stringify(items.map((item) => item.dataset.id)));
    const box = $("alert");
    if (fresh.length) {
      const toast = document.createElement("div");
      toast.className = "toast";
      for (const item of fresh) toast.append(item.firstElementChild.cloneNode(true));
      box.replaceChildren(toast);
    } else if (!items.length) box.replaceChildren();
  };

  // -- Live: fetch the part of the page that changes (or the page itself), and put it in its place ------------
  const busy = (region) => {
    const active = document.activeElement;
    return region.contains(active) && active.matches("input, textarea, select");
  };
  const keep = (region) => {
    const active = document.activeElement;
    const inside = region.contains(active) && active !== region;
    return {
      id: inside ? active.id : "",
      key: inside ? active.dataset.key : "",
      href: inside ? active.getAttribute("href") : "",
      open: all("details[open][id]", region).map((d) => d.id),
      top: region.scrollTop,
      atEnd: region.scrollHeight - region.scrollTop - region.clientHeight < 48,
    };
  };
  const restore = (region, kept) => {
    for (const id of kept.open) if ($(id)) $(id).open = true;
    region.scrollTop = "end" in region.dataset && kept.atEnd ? region.scrollHeight : kept.top;
    const same = (node) => (kept.id && node.id === kept.id) || (!kept.id && kept.key && node.dataset.key === kept.key)
      || (!kept.id && !kept.key && kept.href && node.getAttribute("href") === kept.href);
    if (kept.id || kept.key || kept.href) all("a, button, summary, [tabindex]", region).find(same)?.focus({ preventScroll: true });
  };
  const swap = (html) => {
    const page = new DOMParser().parseFromString(html, "text/html");
    const part = page.querySelector("[data-now]");
    if (!part) return;
    setClock(part.dataset.now, part.dataset.speed);
    const count = part.dataset.title ?? page.title.match(/^\(\d+\) /)?.[0] ?? "";
    document.title = count + document.title.replace(/^\(\d+\) /, "");
    const list = $("list") ?? document.scrollingElement;
    const before = all(".row").map((row) => row.dataset.id);
    const edge = list === $("list") ? list.getBoundingClientRect().top : 0;
    const first = all(".row").find((row) => row.getBoundingClientRect().bottom > edge);
    const anchor = list.scrollTop > 0 && first ? { id: first.dataset.id, top: first.getBoundingClientRect().top } : null;
    for (const fresh of all("[data-swap]", part)) {
      const old = $(fresh.id);
      if (!old || busy(old) || old.innerHTML === fresh.innerHTML) continue;
      const kept = keep(old);
      if (fresh.hasAttribute("class")) old.className = fresh.className;
      // The element stays, so that :target, scroll and listeners stay with it.
      old.replaceChildren(...fresh.childNodes);
      restore(old, kept);
    }
    if (anchor) {
      const same = all(".row").find((row) => row.dataset.id === anchor.id);
      if (same) list.scrollTop += same.getBoundingClientRect().top - anchor.top;
      const above = all(".row").filter((row) => !before.includes(row.dataset.id) && row.getBoundingClientRect().bottom <= edge);
      if (above.length) say(`${above.length} new above`);
    }
    announce();
    repaint();
    meter();
    document.dispatchEvent(new CustomEvent("porchlight:swapped"));
  };

  // Signed out: said for good, because a page that no longer changes looks like a quiet day.
  let over = false;
  const signedOut = () => {
    if (over) return;
    over = true;
    hush();
    showLive();
    const bar = document.createElement("div");
    bar.className = "note note-bad";
    const text = document.createElement("strong");
    text.textContent = "Signed out: this page no longer changes. ";
    const link = document.createElement("a");
    const here = body.dataset.patient ? `/patient/${body.dataset.patient}` : location.pathname + location.search;
    link.href = `/signin?next=${encodeURIComponent(here)}`;
    link.textContent = "Sign in again.";
    const line = document.createElement("p");
    line.append(text, link);
    bar.append(line);
    $("over")?.replaceChildren(bar);
  };

  let wanted = false, fetching = false, fetchedAt = performance.now();
  const refresh = async () => {
    if (over) return;
    wanted = true;
    if (fetching) return;
    fetching = true;
    try { await fetchWhileWanted(); } finally { fetching = false; }
  };
  const fetchWhileWanted = async () => {
    while (wanted) {
      wanted = false;
      fetchedAt = performance.now();
      let html = "";
      try {
        const answer = await fetch(body.dataset.part ?? location.pathname + location.search, { headers: { accept: "text/html" }, credentials: "same-origin" });
        if (answer.redirected || answer.status === 401) { signedOut(); break; }
        if (answer.ok) html = await answer.text();
      } catch { /* The state of the connection is shown by the heartbeat. */ }
      if (html) swap(html);
      await new Promise((next) => setTimeout(next, 250));
    }
  };

  const pill = $("live");
  let heard = performance.now(), heardAt = now();
  const hear = () => { heard = performance.now(); heardAt = now(); showLive(); };
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const showLive = () => {
    if (!pill) return;
    const stale = performance.now() - heard > 20 * SECOND;
    pill.hidden = over;
    pill.classList.toggle("live-stale", stale);
    put(pill, stale ? `Last heard ${clockWords(zone, false, heardAt)}, trying again` : "Live");
  };
  // A browser opens six connections to a server, and each stream takes one: only the queue, which must alert, hears while
  // it is hidden. All other pages catch up when they are looked at again.
  const hearsHidden = location.pathname === "/queue";
  const hears = () => !over && (hearsHidden || !document.hidden);
  let open = null;
  const hush = () => { open?.close(); open = null; };
  const listen = () => {
    if (open || !hears()) return;
    const about = body.dataset.patient ? `?patient=${encodeURIComponent(body.dataset.patient)}` : "";
    const stream = new EventSource(body.dataset.live + about);
    open = stream;
    stream.addEventListener("open", hear);
    stream.addEventListener("ping", hear);
    stream.addEventListener("clock", (event) => {
      hear();
      const { now_ms: ms, speed } = JSON.parse(event.data);
      setClock(ms, speed);
      repaint();
    });
    stream.addEventListener("queue", () => { hear(); refresh(); });
    stream.addEventListener("demo", () => { hear(); refresh(); });
    stream.addEventListener("patient", (event) => {
      hear();
      if (!body.dataset.patient || event.data === body.dataset.patient) refresh();
    });
    stream.addEventListener("signedout", signedOut);
    stream.addEventListener("error", () => {
      if (stream.readyState !== EventSource.CLOSED || open !== stream) return;
      open = null;
      // The stream does not say why it was refused; the page's own answer does.
      refresh();
      setTimeout(listen, 5 * SECOND);
    });
  };
  if (body.dataset.live) {
    showLive();
    listen();
    addEventListener("pagehide", hush);
    document.addEventListener("visibilitychange", () => {
      if (!hears()) hush();
      else { listen(); refresh(); }
    });
    setInterval(() => {
      showLive();
      // Whatever the stream says: it may be alive and miss something.
      if (hears() && performance.now() - fetchedAt >= MINUTE) refresh();
    }, 2 * SECOND);
  }
  // A page that comes back from the browser's memory may be old.
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

  // -- Offline: what is written is kept, nothing is sent -----------------------------------------------------------
  const offline = () => {
    const note = $("offline");
    if (!note) return;
    note.hidden = navigator.onLine;
    put($("offline-since"), navigator.onLine ? "" : `This is the page as of ${clockWords(zone, false, heardAt)}.`);
    for (const button of all("form[data-needs-net] [type=submit]")) {
      if (navigator.onLine) button.removeAttribute("aria-disabled"); else button.setAttribute("aria-disabled", "true");
    }
  };
  addEventListener("online", () => { offline(); if (body.dataset.live) refresh(); });
  addEventListener("offline", offline);
  offline();

  // -- Drafts survive an error, a lost connection and a closed pane ------------------------------------------------
  const readDraft = (name) => { try { return JSON.parse(sessionStorage.getItem(name)) ?? {}; } catch { return {}; } };
  for (const field of all("[data-draft]")) {
    const name = `draft:${field.dataset.draft}`;
    const draft = readDraft(name);
    if (field.dataset.sent && field.dataset.sent === draft.token) sessionStorage.removeItem(name);
    else if (draft.text && (!field.value || field.value === draft.text)) {
      // With the token of its form: what was sent already, though its answer was lost, is not sent twice.
      field.value = draft.text;
      if (draft.token && field.form?.elements.token) field.form.elements.token.value = draft.token;
    }
    const token = () => field.form?.elements.token?.value;
    const store = () => {
      if (field.value) sessionStorage.setItem(name, JSON.stringify({ text: field.value, token: token() }));
      else sessionStorage.removeItem(name);
    };
    field.addEventListener("input", store);
    field.form?.addEventListener("submit", store);
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        field.form.querySelector("[type=submit]")?.click();
      }
    });
  }
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if ("needsNet" in form.dataset && !navigator.onLine) {
      event.preventDefault();
      say("Not sent: you are offline. Your text is still here.");
      return;
    }
    if ("forget" in form.dataset) sessionStorage.clear();
    // Twice is once, also without the server's help.
    if (form.dataset.busy && performance.now() - Number(form.dataset.busy) < 2 * SECOND) event.preventDefault();
    else if (form.id !== "phone-form") form.dataset.busy = String(performance.now());
  });

  // -- Length: GSM 03.38 has 160 (153 in parts) characters a segment, anything else 70 (67) UTF-16 units ---------
  const GSM = new Set("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ ÆæßÉ!\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà");
  const GSM_TWO = new Set("\f^{}\\[~]|€");
  const lengthWords = (text) => {
    if (!text) return "";
    const gsm = [...text].every((c) => GSM.has(c) || GSM_TWO.has(c));
    const units = gsm ? [...text].reduce((sum, c) => sum + (GSM_TWO.has(c) ? 2 : 1), 0) : text.length;
    const [one, part] = gsm ? [160, 153] : [70, 67];
    const segments = units <= one ? 1 : Math.ceil(units / part);
    const room = segments === 1 ? one : segments * part;
    return `${units} of ${room} · ${segments} ${segments === 1 ? "segment" : "segments"}`;
  };
  const meter = () => {
    for (const place of all("[data-meter]")) {
      const words = lengthWords($(place.dataset.meter)?.value ?? "");
      place.hidden = !words;
      put(place, words);
    }
  };
  document.addEventListener("input", meter);
  meter();

  // -- Dialogs, filters, places --------------------------------------------------------------------------------------
  document.addEventListener("click", (event) => {
    const target = event.target.closest("a, button");
    if (!target) return;
    if (target.getAttribute("aria-disabled") === "true") event.preventDefault();
    const dialog = target.dataset.dialog && $(target.dataset.dialog);
    if (dialog) { event.preventDefault(); dialog.showModal(); }
    if (target.dataset.open) $(target.dataset.open).showModal();
    if ("close" in target.dataset && target.closest("dialog")) { event.preventDefault(); target.closest("dialog").close(); }
    if (target.matches("a[href='#re']")) { event.preventDefault(); $("re")?.focus(); $("re")?.scrollIntoView({ block: "center" }); }
  });
  for (const hidden of all("[data-open][hidden]")) hidden.hidden = false;
  for (const extra of all("[data-no-script]")) extra.hidden = true;
  for (const select of all("[data-submit]")) select.addEventListener("change", () => select.form.requestSubmit());
  if (location.hash === "#re") $("re")?.focus({ preventScroll: true });
  $("wrong")?.focus();
  const shown = $("say")?.querySelector(".toast");
  if (shown) fade(shown);
  for (const end of all("[data-end]")) end.scrollTop = end.scrollHeight;

  // The list stays where it was when an item opens.
  const list = $("list");
  if (list) {
    list.scrollTop = Number(sessionStorage.getItem("list") ?? 0);
    list.querySelector(".row-link[aria-current]")?.closest(".row").scrollIntoView({ block: "nearest" });
    addEventListener("pagehide", () => sessionStorage.setItem("list", String(list.scrollTop)));
  }

  // -- Keys: outside fields only; can be switched off (WCAG 2.1.4) -----------------------------------------------
  const keysOn = $("keys-on");
  const stored = localStorage.getItem("keys");
  if (keysOn) {
    keysOn.checked = stored !== "off";
    keysOn.addEventListener("change", () => localStorage.setItem("keys", keysOn.checked ? "on" : "off"));
  }
  const press = (key) => {
    const target = all(`[data-key="${key}"]`).find((node) => node.checkVisibility());
    target?.click();
    return Boolean(target);
  };
  const move = (step) => {
    const links = all(".row-link, .fold tbody .name");
    if (!links.length) return;
    let at = links.indexOf(document.activeElement);
    if (at < 0) at = links.findIndex((link) => link.hasAttribute("aria-current"));
    if (at < 0) at = step > 0 ? -1 : links.length;
    const next = links[Math.min(links.length - 1, Math.max(0, at + step))];
    next.focus();
    next.scrollIntoView({ block: "nearest" });
  };
  let going = 0;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || !keysOn?.checked) return;
    if (event.target.closest?.("input, textarea, select, [contenteditable]") || document.querySelector("dialog[open]")) return;
    const key = event.key;
    let done = true;
    if (performance.now() < going) { going = 0; const place = document.querySelector(`[data-go="${CSS.escape(key)}"]`); place?.click(); done = Boolean(place); }
    else if (key === "g") going = performance.now() + 1500;
    else if (key === "j") move(1);
    else if (key === "k") move(-1);
    else if (key === "?") $("help").showModal();
    else if (key === "/") { const search = document.querySelector("[type=search]"); search?.focus(); done = Boolean(search); }
    else if ("oucre".includes(key) && key.length === 1) done = press(key);
    else done = false;
    if (done) event.preventDefault();
  });

  announce();
  repaint();
  window.porchlight = { refresh, say };
})();
