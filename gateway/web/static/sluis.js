// Small conveniences; every page works without them. No inline handlers, no eval: the policy forbids both.
"use strict";

(() => {
  const belgian = new Intl.NumberFormat("de-DE", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

  // "Execute 3 payments for a total of € 1.250,00", counted while ticking. Cents as whole numbers: sums stay exact.
  function follow(form) {
    const boxes = [...form.querySelectorAll('input[name="payment"]')];
    const summary = form.querySelector("[data-summary]");
    const all = form.querySelector("[data-all]");
    const approve = form.querySelector('button[value="approve"]');
    const usual = approve.textContent;

    function recount() {
      const ticked = boxes.filter((box) => box.checked);
      const cents = ticked.reduce((sum, box) => sum + Math.round(Number(box.dataset.amount) * 100), 0);
      const text = ticked.length === 0 ? form.dataset.none : ticked.length === 1 ? form.dataset.one : form.dataset.many;
      summary.textContent = text
        .replace("{count}", ticked.length)
        .replace("{total}", `€\u00a0${belgian.format(cents / 100)}`);
      approve.textContent = usual;
      if (all) all.querySelector("input").checked = ticked.length === boxes.length;
    }

    if (all) {
      all.hidden = false;
      all.querySelector("input").addEventListener("change", (event) => {
        boxes.forEach((box) => { box.checked = event.target.checked; });
        recount();
      });
    }
    boxes.forEach((box) => box.addEventListener("change", recount));
    recount();
    takeBack(form);
  }

  // Ten seconds in which a decision can be taken back; only then is the form sent.
  function takeBack(form) {
    let timer = null;
    form.addEventListener("submit", (event) => {
      const button = event.submitter;
      if (!button || !form.querySelector('input[name="payment"]:checked')) return;
      event.preventDefault();
      if (timer) return;
      const bar = document.createElement("div");
      const word = document.createElement("p");
      const back = document.createElement("button");
      const now = document.createElement("button");
      bar.className = "countdown";
      bar.setAttribute("role", "alertdialog");
      bar.setAttribute("aria-label", form.dataset.back);
      back.type = now.type = "button";
      back.textContent = form.dataset.back;
      now.textContent = form.dataset.now;
      now.className = "second";
      bar.append(word, back, now);
      document.body.append(bar);
      back.focus();
      let left = 10;

      function stop() {
        clearInterval(timer);
        timer = null;
        bar.remove();
      }
      function send() {
        stop();
        const verdict = document.createElement("input");
        verdict.type = "hidden";
        verdict.name = button.name;
        verdict.value = button.value;
        form.append(verdict);
        form.submit();
      }
      function tick() {
        word.textContent = form.dataset.waiting.replace("{seconds}", left);
        if (left === 0) send();
        left -= 1;
      }
      back.addEventListener("click", () => { stop(); button.focus(); });
      bar.addEventListener("keydown", (key) => { if (key.key === "Escape") { stop(); button.focus(); } });
      now.addEventListener("click", send);
      timer = setInterval(tick, 1000);
      tick();
    });
  }

  document.querySelectorAll("form[data-decide]").forEach(follow);

  document.querySelectorAll("[data-confirm]").forEach((button) => {
    button.addEventListener("click", (event) => {
      if (!window.confirm(button.dataset.confirm)) event.preventDefault();
    });
  });

  document.querySelectorAll("[data-copy]").forEach((button) => {
    if (!navigator.clipboard) return;
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).value);
      button.textContent = button.dataset.copied;
    });
  });
})();
