// Speaks with the page around the frame, and saves the end customer a click here and there. Everything
// works without it, but telling the page around the frame that the flow has ended.
(() => {
  "use strict";
  const framed = window.parent !== window;
  const activation = document.querySelector("[data-activation]");
  // The page around is not known by name; which sites may be around is said by the policy of the page.
  const tell = (message) => window.parent.postMessage(message, "*");
  const succeed = () =>
    tell({ type: "success", data: { activation_token: activation.dataset.activation } });
  const close = () => (activation ? succeed() : tell({ type: "close" }));

  if (framed) {
    document.documentElement.classList.add("framed");
    for (const button of document.querySelectorAll("[data-close]")) {
      button.hidden = false;
      button.addEventListener("click", close);
    }
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape") close();
    });
    if (activation) {
      activation.hidden = false;
      activation.addEventListener("click", succeed);
      activation.focus();
    }
  }

  const first = document.querySelector("[data-focus]");
  if (first) first.focus();

  for (const filter of document.querySelectorAll("[data-filter]")) {
    const list = document.getElementById(filter.dataset.filter);
    if (!list) continue;
    filter.hidden = false;
    const none = document.querySelector("[data-none]");
    filter.addEventListener("input", () => {
      const wanted = filter.value.trim().toLowerCase();
      let shown = 0;
      for (const item of list.children) {
        item.hidden = !item.textContent.toLowerCase().includes(wanted);
        if (!item.hidden) shown += 1;
      }
      if (none) none.hidden = shown > 0;
    });
  }

  for (const form of document.querySelectorAll("form[data-busy]")) {
    form.addEventListener("submit", () => {
      form.querySelector(".busy").textContent = form.dataset.busy;
      // After the form has been sent: a disabled button sends nothing.
      setTimeout(() => {
        for (const button of form.querySelectorAll("button")) button.disabled = true;
      });
    });
    window.addEventListener("pageshow", () => {
      for (const button of form.querySelectorAll("button")) button.disabled = false;
    });
  }

  for (const link of document.querySelectorAll("[data-then]")) {
    link.addEventListener("click", () => {
      setTimeout(() => window.location.assign(link.dataset.then), 300);
    });
  }

  if (document.querySelector("[data-poll]")) {
    const look = async () => {
      try {
        const answer = await fetch(window.location.href, { headers: { accept: "text/html" } });
        if (answer.redirected) return window.location.replace(answer.url);
      } catch {
        // Without network the next look may fare better.
      }
      setTimeout(look, 1500);
    };
    setTimeout(look, 1000);
  }
})();
