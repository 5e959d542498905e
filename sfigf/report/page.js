"use strict";
(() => {
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const say = (text) => { document.getElementById("status").textContent = text; };
  document.documentElement.classList.add("js");

  // Theme: as the system has it, light, or dark; remembered where the browser allows it.
  const themes = ["auto", "light", "dark"];
  const memory = {
    get() { try { return localStorage.getItem("sfigf-theme"); } catch { return null; } },
    set(value) { try { localStorage.setItem("sfigf-theme", value); } catch { /* a page from a file may not */ } },
  };
  const button = document.getElementById("theme");
  const paint = (theme) => {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    button.textContent = `Theme: ${theme}`;
  };
  let theme = themes.includes(memory.get()) ? memory.get() : "auto";
  paint(theme);
  button.hidden = false;
  button.addEventListener("click", () => {
    theme = themes[(themes.indexOf(theme) + 1) % themes.length];
    memory.set(theme);
    paint(theme);
  });

  // Tables: a head is a button; first the better end, then the other, then as it was.
  const compare = (numeric) => (a, b) => {
    if (a.value === "" || b.value === "") return (a.value === "") - (b.value === "");
    return numeric ? a.value - b.value : a.value.localeCompare(b.value);
  };
  const sort = (table, head, column) => {
    const body = table.tBodies[0];
    const rows = all("tr", body);
    rows.forEach((row, place) => { row.dataset.place ??= place; });
    const numeric = head.classList.contains("number");
    const first = numeric && !head.textContent.includes("↓") ? "descending" : "ascending";
    const second = first === "ascending" ? "descending" : "ascending";
    const next = { [first]: second, [second]: "none" }[head.getAttribute("aria-sort")] ?? first;
    const keyed = rows.map((row) => ({
      row, value: next === "none" ? row.dataset.place : row.cells[column].dataset.value ?? "",
    }));
    keyed.sort(compare(numeric || next === "none"));
    if (next === "descending") {
      const known = keyed.filter((each) => each.value !== "").reverse();
      keyed.splice(0, keyed.length, ...known, ...keyed.filter((each) => each.value === ""));
    }
    body.append(...keyed.map((each) => each.row));
    all("th", table.tHead).forEach((each) => each.setAttribute("aria-sort", each === head ? next : "none"));
    say(next === "none" ? "Rows as they were." : `Sorted by ${head.textContent.trim()}, ${next}.`);
  };
  for (const table of all("table.sortable")) {
    if (table.tBodies[0].rows.length < 2) continue;
    all("th", table.tHead).forEach((head, column) => {
      const press = document.createElement("button");
      press.type = "button";
      press.append(...head.childNodes);
      head.append(press);
      head.setAttribute("aria-sort", "none");
      press.addEventListener("click", () => sort(table, head, column));
    });
  }

  // Pictures: two of them on a stage, a divider between, and a lens that shows one place in both.
  const clamp = (value) => Math.min(100, Math.max(0, value));
  class Viewer {
    constructor(root) {
      this.root = root;
      this.stage = root.querySelector(".stage");
      this.lens = root.querySelector(".lens");
      this.spot = root.querySelector(".spot");
      this.errors = root.querySelector("[data-errors]");
      this.items = new Map(all(".gallery > li", root).map((item) => [item.dataset.key, item]));
      this.shown = { left: root.dataset.left, right: root.dataset.right };
      this.at = { split: 50, across: 50, down: 50 };
      this.listen();
      this.addPicks();
      this.show();
    }

    find(selector) { return this.root.querySelector(selector); }

    source(side) {
      const item = this.items.get(this.shown[side]);
      const wanted = this.errors?.getAttribute("aria-pressed") === "true" && item.querySelector(".error");
      return { image: wanted || item.querySelector(".picture"), label: item.dataset.label + (wanted ? ", error" : "") };
    }

    show() {
      ["left", "right"].forEach((side, index) => {
        const { image, label } = this.source(side);
        const [large, small] = [this.find(`.stage > .${side}`), all(".lens img", this.root)[index]];
        if (large.src !== image.src) large.src = small.src = image.src;
        large.alt = image.alt;
        large.classList.toggle("coarse", image.width && Number(image.getAttribute("width")) * 2 < this.stage.clientWidth);
        this.find(`.tag.${side}`).textContent = label;
        all(".lens span", this.root)[index].textContent = label;
        this.find(`[data-side="${side}"]`).value = this.shown[side];
        for (const [key, item] of this.items) {
          const pick = item.querySelector(`[data-pick="${side}"]`);
          pick?.setAttribute("aria-pressed", String(key === this.shown[side]));
        }
      });
      this.place();
    }

    place() {
      this.stage.style.setProperty("--split", `${this.at.split}%`);
      all("[data-move]", this.root).forEach((input) => { input.value = this.at[input.dataset.move]; });
      const [left, right] = ["left", "right"].map((side) => this.source(side).label);
      this.find('[data-move="split"]').setAttribute(
        "aria-valuetext", `${Math.round(this.at.split)} percent ${left}, the rest ${right}`);
      if (!this.lens.hidden) this.magnify();
    }

    magnify() {
      const { clientWidth: width, clientHeight: height } = this.stage;
      const zoom = Number(this.find("[data-zoom]").value);
      const pane = Math.max(90, Math.min(200, width / 2.6));
      const [x, y] = [(width * this.at.across) / 100, (height * this.at.down) / 100];
      this.lens.style.setProperty("--pane", `${pane}px`);
      for (const image of all(".lens img", this.root)) {
        image.style.width = `${width * zoom}px`;
        image.style.height = `${height * zoom}px`;
        image.style.transform = `translate(${pane / 2 - x * zoom}px, ${pane / 2 - y * zoom}px)`;
      }
      const across = Math.min(Math.max(0, x - pane - 3), width - 2 * pane - 6);
      const above = y - pane - pane / zoom / 2 - 14;
      Object.assign(this.spot.style, {
        width: `${pane / zoom}px`, height: `${pane / zoom}px`,
        transform: `translate(${x - pane / zoom / 2}px, ${y - pane / zoom / 2}px)`,
      });
      this.lens.style.left = `${across}px`;
      this.lens.style.top = `${above >= -pane / 2 ? above : y + pane / zoom / 2 + 10}px`;
    }

    look(visible) {
      this.lens.hidden = this.spot.hidden = !visible || this.find("[data-zoom]").value === "0";
      if (!this.lens.hidden) this.magnify();
    }

    point(event) {
      const box = this.stage.getBoundingClientRect();
      return {
        across: clamp((100 * (event.clientX - box.left)) / box.width),
        down: clamp((100 * (event.clientY - box.top)) / box.height),
      };
    }

    listen() {
      for (const side of ["left", "right"]) {
        this.find(`[data-side="${side}"]`).addEventListener("change", (event) => {
          this.shown[side] = event.target.value;
          this.show();
        });
      }
      this.find("[data-zoom]").addEventListener("change", () => this.look(true));
      this.errors?.addEventListener("click", () => {
        this.errors.setAttribute("aria-pressed", String(this.errors.getAttribute("aria-pressed") !== "true"));
        this.show();
      });
      for (const input of all("[data-move]", this.root)) {
        input.addEventListener("input", () => {
          this.at[input.dataset.move] = Number(input.value);
          if (input.dataset.move !== "split") this.look(true);
          this.place();
        });
        input.addEventListener("blur", () => this.look(false));
      }
      this.listenStage();
    }

    listenStage() {
      const near = (event) => Math.abs(this.point(event).across - this.at.split) * this.stage.clientWidth < 2600;
      const follow = (event) => {
        const point = this.point(event);
        if (this.dragging) this.at.split = point.across;
        else Object.assign(this.at, point);
        this.look(!this.dragging);
        this.place();
      };
      this.stage.addEventListener("pointerdown", (event) => {
        this.dragging = event.pointerType === "mouse" || near(event);
        this.stage.setPointerCapture(event.pointerId);
        follow(event);
      });
      this.stage.addEventListener("pointermove", (event) => {
        if (event.pointerType === "mouse" || event.buttons) follow(event);
      });
      for (const end of ["pointerup", "pointercancel"]) this.stage.addEventListener(end, () => { this.dragging = false; });
      this.stage.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") this.look(false); });
      this.stage.addEventListener("focusout", () => this.look(false));
      this.stage.addEventListener("keydown", (event) => {
        if (event.key === "Escape") this.look(false);
        const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
        if (!step) return;
        event.preventDefault();
        const reach = event.shiftKey ? 10 : 2;
        this.at.across = clamp(this.at.across + reach * step[0]);
        this.at.down = clamp(this.at.down + reach * step[1]);
        this.look(true);
        this.place();
      });
    }

    addPicks() {
      for (const [key, item] of this.items) {
        const picks = document.createElement("div");
        picks.className = "pick";
        for (const side of ["left", "right"]) {
          const pick = document.createElement("button");
          Object.assign(pick, { type: "button", textContent: side[0].toUpperCase() + side.slice(1) });
          pick.dataset.pick = side;
          pick.setAttribute("aria-label", `${item.dataset.label} on the ${side}`);
          pick.addEventListener("click", () => { this.shown[side] = key; this.show(); });
          picks.append(pick);
        }
        item.append(picks);
      }
    }
  }
  // A picture is copied to its stage when it comes near, so that a page of many opens at once.
  const near = new IntersectionObserver((entries) => {
    for (const entry of entries.filter((each) => each.isIntersecting)) {
      near.unobserve(entry.target);
      new Viewer(entry.target);
    }
  }, { rootMargin: "600px" });
  all(".viewer").forEach((root) => near.observe(root));

  // Where one is: the section in view is marked in the list of sections.
  const links = new Map(all("nav a").map((link) => [link.hash.slice(1), link]));
  const watch = new IntersectionObserver((entries) => {
    for (const entry of entries.filter((each) => each.isIntersecting)) {
      links.forEach((link, id) => id === entry.target.id
        ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current"));
      const [list, link] = [document.querySelector("nav ul"), links.get(entry.target.id)];
      list.scrollLeft = link.offsetLeft - list.offsetLeft - 24;
    }
  }, { rootMargin: "-20% 0px -75% 0px" });
  links.forEach((_, id) => watch.observe(document.getElementById(id)));

  addEventListener("beforeprint", () => all("details").forEach((each) => { each.open = true; }));
})();
