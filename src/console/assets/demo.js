/* The demo's phone and clock, without reloading the page. Without this script the same forms post and come back. */
(() => {
  "use strict";
  const form = document.getElementById("phone-form");
  const field = document.getElementById("phone-text");
  const tries = document.getElementById("phone-try");
  const error = document.getElementById("phone-e");
  const { refresh } = window.porchlight;

  const post = (target, data) => fetch(target.action, {
    method: "POST", body: new URLSearchParams(data), credentials: "same-origin", headers: { accept: "text/html" },
  });
  const fail = (text) => {
    error.hidden = !text;
    error.querySelector("span").textContent = text;
  };

  tries?.addEventListener("change", () => {
    if (!tries.value) return;
    field.value = tries.value;
    tries.value = "";
    field.focus();
  });

  let sending = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (sending) return;
    if (!field.value.trim()) { fail("Write something first."); return; }
    sending = true;
    try {
      const answer = await post(form, new FormData(form));
      if (!answer.ok) throw new Error(String(answer.status));
      field.value = "";
      fail("");
      refresh();
    } catch {
      fail("Not sent: the server did not answer. Your text is still here. Try again.");
    } finally {
      sending = false;
    }
  });

  const speeds = document.getElementById("speed");
  speeds.addEventListener("submit", async (event) => {
    if (!event.submitter) return;
    event.preventDefault();
    const data = new FormData(speeds, event.submitter);
    try {
      const answer = await post(speeds, data);
      if (!answer.ok) throw new Error(String(answer.status));
      for (const button of speeds.querySelectorAll("button")) button.setAttribute("aria-pressed", String(button === event.submitter));
      refresh();
    } catch {
      fail("The clock was not changed: the server did not answer. Try again.");
    }
  });
})();
