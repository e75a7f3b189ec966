/* The bar of filters: keeps addresses short, and asks once for one change. */

interface RequestConfiguration {
  formData: FormData;
}

/** A filter that was left alone is not sent. */
function drop(event: Event): void {
  const { target } = event;
  if (!(target instanceof HTMLFormElement) || target.method !== "get") return;
  const { formData } = (event as CustomEvent<RequestConfiguration>).detail;
  for (const [name, value] of [...formData.entries()]) {
    if (value === "") formData.delete(name);
  }
}

/** Words are looked for while they are typed; leaving the field says nothing new. */
function ignoreLeaving(event: Event): void {
  const { target } = event;
  if (target instanceof HTMLInputElement && target.type === "search") event.stopPropagation();
}

export function improveFilters(): void {
  document.addEventListener("htmx:configRequest", drop);
  document.addEventListener("change", ignoreLeaving, { capture: true });
}
