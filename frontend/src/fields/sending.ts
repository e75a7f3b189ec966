/* Sends a form with fields only when what is under way has arrived. */

export interface Field extends HTMLElement {
  /** What keeps the form from being sent now: nothing, running uploads, or what failed. */
  hindrance(): "" | "running" | "failed";
  /** Says so, in its place. */
  explain(): void;
  settled(): Promise<boolean>;
}

const waiting = new WeakSet<HTMLFormElement>();

const fieldsOf = (form: HTMLFormElement): Field[] =>
  [...form.querySelectorAll<Field>("media-field")].filter((field) => "hindrance" in field);

async function sendLater(form: HTMLFormElement, submitter: HTMLElement | null): Promise<void> {
  if (waiting.has(form)) return;
  waiting.add(form);
  const ends = await Promise.all(fieldsOf(form).map((field) => field.settled()));
  waiting.delete(form);
  const isHere = form.isConnected && (submitter?.isConnected ?? true);
  if (isHere && ends.every(Boolean)) form.requestSubmit(submitter);
}

function judge(event: SubmitEvent): void {
  const form = event.target as HTMLFormElement;
  const hindrances = fieldsOf(form).map((field) => field.hindrance());
  if (hindrances.every((one) => one === "")) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  for (const field of fieldsOf(form)) field.explain();
  if (!hindrances.includes("failed")) void sendLater(form, event.submitter);
}

let isListening = false;

export function watchForms(): void {
  if (isListening) return;
  isListening = true;
  document.addEventListener("submit", judge, { capture: true });
}
