/* A form that was refused is gone on with at the first thing that is wrong, however far down. */

const WRONG = '#main [aria-invalid="true"], #main .errorlist.nonfield';

/** Whether there is one; it then has the focus. */
export function focusFault(): boolean {
  const shown = [...document.querySelectorAll<HTMLElement>(WRONG)].filter((one) => one.checkVisibility());
  const [fault] = shown;
  if (!fault) return false;
  if (fault.matches(".errorlist")) fault.tabIndex = -1;
  fault.focus({ preventScroll: true });
  // A page that arrives in place is scrolled to its top first.
  requestAnimationFrame(() => fault.scrollIntoView({ block: "center", behavior: "instant" }));
  return true;
}
