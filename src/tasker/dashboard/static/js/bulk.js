// Marking rows: all of a page at once, how many there are, and only the fields that an action needs.
function update(form) {
  const marks = [...form.querySelectorAll('input[name="id"]')];
  const marked = marks.filter((mark) => mark.checked).length;
  const all = form.querySelector("[data-mark-all]");
  all.checked = marked > 0 && marked === marks.length;
  all.indeterminate = marked > 0 && marked < marks.length;
  form.querySelector("[data-marked]").textContent = marked ? `the ${marked} marked` : "those that are marked";
  const action = form.elements.action.value;
  for (const part of form.querySelectorAll("[data-for]")) part.hidden = part.dataset.for !== action;
}

export function begin(root) {
  for (const form of root.querySelectorAll("[data-bulk]:not([data-begun])")) {
    const all = form.querySelector("[data-mark-all]");
    if (!all) continue;
    form.dataset.begun = "";
    all.hidden = false;
    all.addEventListener("change", () => {
      for (const mark of form.querySelectorAll('input[name="id"]')) mark.checked = all.checked;
    });
    form.addEventListener("change", () => update(form));
    update(form);
  }
}
