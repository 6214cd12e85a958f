// A button that copies what stands above it.
export function begin(root) {
  for (const text of root.querySelectorAll("[data-copy]:not([data-begun])")) {
    text.dataset.begun = "";
    if (!navigator.clipboard) continue; // over plain http: it can be marked by hand
    const button = Object.assign(document.createElement("button"), { type: "button", className: "button", textContent: "Copy" });
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
    text.after(button);
  }
}
