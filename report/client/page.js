// What a report page does in a browser: draws figures in the theme's colours, sorts and filters the
// pairs, and reloads the page of a run that is under way.

/** @typedef {{ data: unknown[], layout: Record<string, any> }} Drawing */
/** @typedef {{ newPlot: Function, react: Function, Plots: { resize: Function } }} PlotlyLibrary */

(() => {
  const library = /** @type {{ Plotly?: PlotlyLibrary }} */ (/** @type {unknown} */ (globalThis))
    .Plotly;
  /** @type {Record<string, Drawing>} */
  const figures = JSON.parse(document.getElementById("figures")?.textContent ?? "{}");
  const dark = matchMedia("(prefers-color-scheme: dark)"), paper = matchMedia("print");
  const CONFIG = { responsive: true, displayModeBar: false };
  const isTouched = matchMedia("(pointer: coarse)").matches;

  /** Lighter shades of the figures' colours, for a dark page. */
  const SHADES = [['"#0072b2"', '"#4aa8e8"'], ['"#d55e00"', '"#f58b3c"'], [
    '"#009e73"',
    '"#2cc498"',
  ]];

  /** @param {unknown[]} data */
  function inShade(data) {
    if (!dark.matches || paper.matches) return data;
    const json = SHADES.reduce(
      (text, [from, to]) => text.replaceAll(from, to),
      JSON.stringify(data),
    );
    return JSON.parse(json);
  }

  /** Colours of the page as it is shown now. */
  function themeLayout() {
    const style = getComputedStyle(document.documentElement);
    const color = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
    const axis = { gridcolor: color("--plot-grid"), linecolor: color("--line") };
    return { ink: color("--ink"), card: "rgba(0,0,0,0)", axis, hover: color("--page") };
  }

  /** @param {Record<string, any>} layout */
  function inTheme(layout) {
    const { ink, card, axis, hover } = themeLayout();
    return {
      ...layout,
      ...{ paper_bgcolor: card, plot_bgcolor: card },
      font: { color: ink, size: 12, family: "system-ui, sans-serif" },
      xaxis: { ...layout.xaxis, ...axis },
      yaxis: { ...layout.yaxis, ...axis },
      hoverlabel: { bgcolor: hover, font: { color: ink } },
      // On a touch screen a finger that passes over a figure scrolls the page.
      dragmode: isTouched ? false : "zoom",
    };
  }

  /** @param {HTMLElement} place */
  function draw(place) {
    const figure = figures[place.dataset.figure ?? ""];
    if (!library || !figure || place.dataset.drawn) return;
    place.dataset.drawn = "yes";
    library.newPlot(place, inShade(figure.data), inTheme(figure.layout), CONFIG);
  }

  const places = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("[data-figure]")]);
  const isFolded = (/** @type {HTMLElement} */ place) => !!place.closest("details:not([open])");
  const drawOpen = () => places.filter((place) => !isFolded(place)).forEach(draw);
  const drawn = () => places.filter((place) => place.dataset.drawn);

  function recolour() {
    for (const place of drawn()) {
      const { data, layout } = figures[place.dataset.figure ?? ""];
      library?.react(place, inShade(data), inTheme(layout), CONFIG);
    }
  }

  for (const details of document.querySelectorAll("details")) {
    details.addEventListener("toggle", drawOpen);
  }
  dark.addEventListener("change", recolour);
  paper.addEventListener("change", recolour);
  globalThis.addEventListener(
    "beforeprint",
    () => drawn().forEach((p) => library?.Plots.resize(p)),
  );
  globalThis.addEventListener("afterprint", () => drawn().forEach((p) => library?.Plots.resize(p)));
  drawOpen();

  /** A link to a folded pair unfolds it; tells whether it led to one. */
  function unfold() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!(target instanceof HTMLDetailsElement)) return false;
    target.open = true;
    target.scrollIntoView();
    target.querySelector("summary")?.focus();
    return true;
  }
  globalThis.addEventListener("hashchange", unfold);
  // The link to the pair that was visited last changes no hash.
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    const isSame = link !== null && link.hash !== "" && link.hash === location.hash;
    const opensElsewhere = event.ctrlKey || event.metaKey || event.shiftKey;
    if (isSame && !opensElsewhere && unfold()) event.preventDefault();
  });
  unfold();

  pairTable();
  reload();

  function pairTable() {
    const table = document.getElementById("pair_table");
    const body = table?.querySelector("tbody"), form = document.getElementById("pair_controls");
    if (!table || !body || !form) return;
    const rows = [...body.rows];
    const search = field("pair_search"), kind = field("pair_kind"), rank = field("pair_rank");
    const count = document.getElementById("pair_count");

    const filter = () => {
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const row of rows) {
        const { text = "", kind: own, rank: ownRank } = row.dataset;
        row.hidden = !words.every((word) => text.includes(word)) ||
          (kind.value !== "" && kind.value !== own) ||
          (rank.value !== "" && rank.value !== ownRank);
        if (!row.hidden) shown++;
      }
      const all = `${rows.length} pairs`;
      if (count) count.textContent = shown === rows.length ? all : `${shown} of ${all}`;
    };

    /** @param {HTMLElement} head */
    const sortBy = (head) => {
      const { key = "", type } = head.dataset;
      const isDown = head.getAttribute("aria-sort") === "ascending";
      for (const other of table.querySelectorAll("th")) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", isDown ? "descending" : "ascending");
      const sign = isDown ? -1 : 1;
      rows.sort((a, b) => {
        const [left, right] = [a.dataset[key] ?? "", b.dataset[key] ?? ""];
        const order = type === "number" ? Number(left) - Number(right) : left.localeCompare(right);
        return sign * order;
      });
      body.append(...rows);
    };

    for (
      const head of /** @type {NodeListOf<HTMLElement>} */ (table.querySelectorAll("[data-key]"))
    ) {
      head.querySelector("button")?.addEventListener("click", () => sortBy(head));
    }
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", filter);
    filter(); // a reloaded page keeps what was typed
  }

  /** @param {string} id */
  function field(id) {
    return /** @type {HTMLInputElement} */ (document.getElementById(id));
  }

  /** @param {string} key */
  function stored(key) {
    try {
      return sessionStorage.getItem(key);
    } catch {
      return null; // a browser may keep nothing for files
    }
  }

  /** Reloads the page of a run under way, unless its reader is at work in it; keeps its place. */
  function reload() {
    const seconds = Number(document.documentElement.dataset.reload);
    if (!(seconds > 0)) return;
    const key = "dpo-kit report";
    const kept = JSON.parse(stored(key) ?? "{}");
    if (kept.top > 0) scrollTo(0, kept.top);
    const wanted = field("reload");
    if (kept.stopped) wanted.checked = false;
    const keep = () => {
      const place = { top: scrollY, stopped: !wanted.checked };
      try {
        sessionStorage.setItem(key, JSON.stringify(place));
      } catch { /* it then begins at its top */ }
    };
    wanted.addEventListener("change", keep);
    const isBusy = () =>
      /INPUT|SELECT/.test(document.activeElement?.tagName ?? "") &&
        document.activeElement !== wanted || !getSelection()?.isCollapsed;
    setInterval(() => {
      if (!wanted.checked || isBusy() || document.hidden) return;
      keep();
      location.reload();
    }, 1000 * seconds);
  }
})();
