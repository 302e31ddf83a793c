for (const table of document.querySelectorAll("table")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => {
    const direction = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
    const key = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent.trim();
    const compare = head.classList.contains("number") ? (a, b) => a - b : (a, b) => a.localeCompare(b);
    const body = table.tBodies[table.tBodies.length - 1];
    const whyOf = new Map([...body.querySelectorAll(".why")].map((why) => [why.previousElementSibling, why]));
    const rows = [...body.rows].filter((row) => !row.classList.contains("why")).sort((one, other) => {
      const [a, b] = [key(one), key(other)];
      if (a === "" || b === "") return (a === "") - (b === "");
      return direction * compare(a, b);
    });
    body.append(...rows.flatMap((row) => whyOf.has(row) ? [row, whyOf.get(row)] : [row]));
    heads.forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
  }));
}
