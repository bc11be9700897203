"use strict";
(() => {
  const by = (id) => document.getElementById(id);
  const tools = by("filters");
  if (!tools) return;
  const names = ["text", "severity", "area", "owner", "status", "view", "sort"];
  const controls = Object.fromEntries(names.map((name) => [name, by(`filter-${name}`)]));
  const levels = [...controls.severity.options].map((each) => each.value);
  const groups = [...document.querySelectorAll("details.policy[id]")];
  const unlisted = groups.reduce((sum, group) => sum + Number((group.dataset.leftOut ?? "0").replaceAll(",", "")), 0);
  const text = (node) => node.textContent.replace(/\s+/g, " ").trim();
  const named = (row) => text(row.querySelector("b"));
  const owners = (row) => (row.dataset.owners ?? "no owner known").split("\n");
  const found = groups.flatMap((group) => [...group.querySelectorAll(".items > li")].map((row) => {
    const problem = text(group.querySelector("summary > :not(.severity)"));
    return {
      group, row, problem,
      severity: group.dataset.severity ?? group.id.split("-")[0],
      area: group.dataset.area,
      status: row.dataset.status ?? "open",
      resource: named(row),
      owners: owners(row),
      words: `${problem} ${group.id.slice(group.id.indexOf("-") + 1)} ${row.id} ${text(row)}`.toLowerCase(),
    };
  }));
  found.forEach((each, number) => {
    each.number = number;
    const id = each.row.querySelector("code");
    const link = document.createElement("a");
    link.href = `#${each.row.id}`;
    link.append(id.textContent);
    id.replaceWith(link);
  });
  const statuses = [...new Set(found.map((each) => each.status))];

  const offer = (control, values) => {
    for (const value of [...new Set(values)].sort((a, b) => a.localeCompare(b))) control.append(new Option(value, value));
  };
  offer(controls.area, found.map((each) => each.area));
  offer(controls.owner, found.flatMap((each) => each.owners));
  offer(controls.status, found.map((each) => each.status));

  const fits = (each) => {
    const { severity, area, owner, status } = controls;
    const words = controls.text.value.toLowerCase().split(/\s+/);
    return (!severity.value || each.severity === severity.value) && (!area.value || each.area === area.value)
      && (!owner.value || each.owners.includes(owner.value)) && (!status.value || each.status === status.value)
      && words.every((word) => each.words.includes(word));
  };
  const rank = (each) => levels.indexOf(each.severity);
  const key = { resource: (each) => each.resource, owner: (each) => each.owners.join(), problem: (each) => each.problem };
  const order = (a, b) => {
    const of = key[controls.sort.value];
    return (of ? of(a).localeCompare(of(b)) : 0) || rank(a) - rank(b) || a.number - b.number;
  };
  const element = (name, attributes, ...content) => {
    const made = document.createElement(name);
    for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
    made.append(...content);
    return made;
  };
  const severity = (level) => element("span", { class: `severity ${level}` }, level);
  const copies = (cell) => [...cell.cloneNode(true).childNodes];
  const line = (each) => element("tr", {},
    element("td", {}, severity(each.severity), element("small", {}, each.status)),
    element("th", { scope: "row" }, ...copies(each.row.children[0])),
    element("td", {}, element("b", {}, each.problem), ...copies(each.row.children[1]), ...[...each.group.querySelectorAll("summary i")].map((judged) => element("small", {}, text(judged)))));
  const table = (title, some) => element("table", { class: "grid" }, element("caption", {}, title),
    element("thead", {}, element("tr", {}, ...["Severity", "Resource", "Problem"].map(
      (head) => element("th", { scope: "col" }, head)))),
    element("tbody", {}, ...some.map(line)));

  const parts = (some, view) => {
    if (view === "all") return [["All", some]];
    const named = new Map();
    for (const each of some) {
      for (const name of view === "owner" ? each.owners : [each.resource]) {
        if (view === "owner" && controls.owner.value && name !== controls.owner.value) continue;
        named.set(name, [...named.get(name) ?? [], each]);
      }
    }
    const worst = (all) => Math.min(...all.map(rank));
    return [...named].sort(([a, left], [b, right]) =>
      worst(left) - worst(right) || right.length - left.length || a.localeCompare(b));
  };
  const arrange = (some, view) => by("arranged").replaceChildren(...parts(some, view).map(([name, all]) => {
    const most = all.reduce((a, b) => (rank(b) < rank(a) ? b : a), all[0]);
    const made = element("details", { class: `policy ${most?.severity ?? ""}` },
      element("summary", {}, element("span", {}, name), " ",
        element("small", {}, `${all.length.toLocaleString("en")} ${all.length === 1 ? "finding" : "findings"}`)));
    // The rows are made when they are looked at: a long page stays quick.
    const fill = () => { if (made.open && made.children.length === 1) made.append(element("div", { class: "body" }, table(name, all))); };
    made.addEventListener("toggle", fill);
    made.open = view === "all" || some.length <= 20;
    fill();
    return made;
  }));

  const narrowed = () => ["text", "severity", "area", "owner", "status"].some((name) => controls[name].value.trim());
  const apply = () => {
    const some = found.filter(fits).sort(order);
    const shown = new Set(some);
    const view = controls.view.value;
    const filtered = narrowed();
    document.body.classList.toggle("filtered", filtered);
    for (const each of found) each.row.hidden = !shown.has(each);
    for (const each of some) each.row.parentNode.append(each.row);
    const kept = new Set(some.map((each) => each.group));
    const ids = new Set(some.map((each) => each.row.id.slice(2)));
    for (const fix of document.querySelectorAll("#findings .fix")) {
      const of = fix.dataset.for.split(" ").filter((id) => ids.has(id));
      fix.hidden = !of.length;
      const some = of.slice(0, 3).map((id) => named(by(`f-${id}`))).join(", ");
      fix.querySelector("b").textContent = `${some}${of.length > 3 ? ` and ${of.length - 3} more` : ""}`;
    }
    for (const first of document.querySelectorAll(".first li")) {
      first.hidden = filtered && ![...ids].some((id) => id.startsWith(first.dataset.id));
    }
    for (const group of groups) {
      group.hidden = filtered && !kept.has(group);
      if (filtered && kept.has(group) && some.length <= 20) group.open = true;
    }
    for (const level of document.querySelectorAll("#findings .listed")) {
      level.hidden = view !== "" || [...level.querySelectorAll("details.policy")].every((group) => group.hidden);
    }
    by("arranged").hidden = view === "";
    arrange(view === "" ? [] : some, view);
    const more = unlisted ? `; ${unlisted.toLocaleString("en")} more are not on this page: keyaudit export csv lists all` : "";
    const matching = statuses.map((status) => {
      const [shownOf, allOf] = [some, found].map((all) => all.filter((each) => each.status === status).length.toLocaleString("en"));
      return `${shownOf} of ${allOf} ${status}`;
    });
    by("filter-count").textContent = `Matching: ${matching.join(", ")}${more}`;
  };
  // The filter is in the address, so that what it shows can be sent.
  const note = () => {
    const chosen = names.filter((name) => controls[name].value).map((name) => [name, controls[name].value]);
    history.replaceState(null, "", chosen.length ? `#?${new URLSearchParams(chosen)}` : location.href.split("#")[0]);
  };
  const reset = () => {
    for (const control of Object.values(controls)) control.value = "";
    apply();
  };
  const follow = () => {
    if (location.hash.startsWith("#?")) {
      const chosen = new URLSearchParams(location.hash.slice(2));
      for (const name of names) controls[name].value = chosen.get(name) ?? "";
      apply();
      return;
    }
    const target = location.hash && document.getElementById(location.hash.slice(1));
    if (!target) return;
    if (target.closest("[hidden]")) reset();
    for (let node = target; node; node = node.parentElement) if (node.localName === "details") node.open = true;
    target.scrollIntoView();
  };
  tools.addEventListener("input", () => { apply(); note(); });
  by("filter-reset").addEventListener("click", () => { reset(); note(); });
  for (const command of document.querySelectorAll("#findings pre")) {
    const button = element("button", { type: "button", class: "copy", "aria-label": `Copy: ${text(command.previousElementSibling)}` }, "Copy");
    const pick = () => getSelection().selectAllChildren(command);
    button.addEventListener("click", () => {
      const copied = navigator.clipboard?.writeText(command.textContent.trim());
      if (copied) copied.then(() => { button.textContent = "Copied"; }, pick);
      else pick();
    });
    command.before(button);
  }
  addEventListener("hashchange", follow);
  tools.hidden = false;
  apply();
  follow();
})();
